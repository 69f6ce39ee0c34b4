export type Severity = 'error' | 'warning' | 'info';

/** One thing the doctor found. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** Relative to the folder, with `/`; `.` is the folder itself. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
  /** Why it matters, with the rule or step it comes from. */
  readonly why: string;
  /** What to do, in one sentence. */
  readonly fix?: string;
}

export interface DoctorReport {
  readonly findings: readonly Finding[];
  readonly summary: Readonly<Record<Severity, number>>;
}
