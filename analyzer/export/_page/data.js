"use strict";
// What the exporter wrote: facts as JSON, the rows as packed columns (analyzer/export/_page_data.py).

const TYPES = { f8: Float64Array, i4: Int32Array };
const SAME_TIME_S = 1e-6;
const CLOCK_S = 1e-3; // players round times to microseconds or milliseconds

async function readReport() {
  const report = JSON.parse(document.getElementById("facts").textContent);
  const rows = await unpack(document.getElementById("rows").textContent, report.columns);
  rows.count = rows.track.length;
  rows.samples = rows.time.length;
  return { ...report, rows };
}

async function unpack(text, form) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = await new Response(stream).arrayBuffer();
  const columns = {};
  let at = 0;
  for (const [name, type, length] of form) {
    columns[name] = new TYPES[type](data, at, length);
    at += columns[name].byteLength;
    if (type === "i4") addUp(columns[name]);
  }
  return columns;
}

function addUp(values) {
  for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
}

/** The last index whose value is at most `limit` in ascending values; -1 where there is none. */
function lastAtMost(values, limit) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The sample with faces that stands for a time; -1 where there is none. */
function sampleAt(rows, time) {
  const sample = lastAtMost(rows.time, time + CLOCK_S);
  return sample >= 0 && time + CLOCK_S < rows.time[sample] + rows.duration[sample] ? sample : -1;
}

/** First and one past the last row of a sample. */
function rowsOf(rows, sample) {
  return [rows.start[sample], sample + 1 < rows.samples ? rows.start[sample + 1] : rows.count];
}
