import type { Sort } from './view-model.ts';

/** What the page keeps over a reload of the window: how things are shown, never the scores themselves. */
export interface ScoresState {
  readonly sort: Sort;
  readonly filter: string;
  readonly hidden: readonly string[];
  readonly onlyCompared: boolean;
  readonly chartAsTable: boolean;
  readonly scroll: number;
}

export const initialState: ScoresState = {
  sort: { key: 'mean', descending: true },
  filter: '',
  hidden: [],
  onlyCompared: false,
  chartAsTable: false,
  scroll: 0,
};
