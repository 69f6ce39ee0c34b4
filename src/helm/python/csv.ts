/** A row of a CSV file and the 1-based line on which it starts. */
export interface CsvRow {
  readonly fields: readonly string[];
  readonly line: number;
}

/**
 * Rows of a CSV text as Python's `csv.reader` cuts them: fields in quotes may hold commas, line breaks and doubled
 * quotes; a quote inside an unquoted field is part of it; empty lines are skipped.
 */
export function parseCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let fields: string[] = [];
  let field = '';
  let line = 1;
  let rowLine = 1;
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  const endRow = () => {
    if (fields.length > 0 || field !== '' || state !== 'start')
      rows.push({ fields: [...fields, field], line: rowLine });
    fields = [];
    field = '';
    state = 'start';
  };
  for (const character of text) {
    if (state === 'quoted') {
      if (character === '"') state = 'closed';
      else field += character;
    } else if (character === '"' && state === 'start') {
      state = 'quoted';
    } else if (character === '"' && state === 'closed') {
      field += '"';
      state = 'quoted';
    } else if (character === ',') {
      fields.push(field);
      field = '';
      state = 'start';
    } else if (character === '\n') {
      endRow();
      rowLine = line + 1;
    } else {
      field += character;
      state = 'plain';
    }
    if (character === '\n') line++;
  }
  endRow();
  return rows;
}
