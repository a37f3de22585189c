// Faces that are drawn, and tracks that are cut, as rows: analyzer/review/drawn.py does the same.

const SAMPLE_COLUMNS = ["time", "duration", "start"];
const USUAL_STEP_S = 0.2;
const USUAL_RATE = 25;
const LABEL_SHARE = 0.045; // of the picture's shorter side: the height of a label

/** Rows with a track more: the boxes of a face between those that were drawn. */
function withFace({ rows, medium }, drawn, track) {
  const samples = samplesBetween(rows, drawn[0].time_s, drawn[drawn.length - 1].time_s, medium.rate || USUAL_RATE);
  const font = LABEL_SHARE * Math.min(medium.width, medium.height);
  return insertRows(rows, samples.map((sample) => {
    const box = boxBetween(drawn, sample.time);
    return { ...sample, track, box, label: box[1] >= font ? -font : box[3] - box[1] };
  }));
}

/** Times and durations of the samples from the first to the last drawn box. */
function samplesBetween(rows, first, last, rate) {
  const lengths = Float64Array.from(rows.duration).sort();
  const step = lengths.length ? lengths[lengths.length >> 1] : USUAL_STEP_S;
  const found = [];
  let cursor = first;
  for (let i = Math.max(0, lastAtMost(rows.time, first + CLOCK_S)); i < rows.samples && rows.time[i] <= last + CLOCK_S; i++) {
    const end = rows.time[i] + rows.duration[i];
    if (end <= first + CLOCK_S) continue;
    found.push(...fill(cursor, rows.time[i], step, first, rate), { time: rows.time[i], duration: rows.duration[i] });
    cursor = Math.max(cursor, end);
  }
  if (cursor <= last + CLOCK_S) {
    const later = rows.time[lastAtMost(rows.time, last + CLOCK_S) + 1];
    found.push(...fill(cursor, last, step, first, rate));
    found.push({ time: last, duration: Math.min(last + step, later === undefined ? Infinity : later) - last });
  }
  return found;
}

/** Samples of a stretch without any, each at a picture's time. */
function fill(start, end, step, first, rate) {
  if (end <= start + CLOCK_S) return [];
  const count = Math.max(1, Math.floor((end - start) / step + 0.5));
  const marks = new Set();
  for (let k = 0; k < count; k++) {
    const mark = start + ((end - start) * k) / count;
    marks.add(Math.max(first + Math.floor((mark - first) * rate + 0.5) / rate, start));
  }
  const times = [...marks].filter((mark) => mark < end - CLOCK_S).sort((a, b) => a - b);
  return times.map((time, k) => ({ time, duration: (k + 1 < times.length ? times[k + 1] : end) - time }));
}

/** The box at a time, in a straight line between the drawn ones. */
function boxBetween(drawn, time) {
  const after = drawn.findIndex(({ time_s }) => time_s > time);
  if (after === 0) return drawn[0].bbox;
  if (after < 0) return drawn[drawn.length - 1].bbox;
  const [a, b] = [drawn[after - 1], drawn[after]];
  const share = (time - a.time_s) / (b.time_s - a.time_s);
  return a.bbox.map((side, i) => side + share * (b.bbox[i] - side));
}

/** Rows with others among them, in order of time. */
function insertRows(rows, added) {
  const times = [...new Set([...rows.time, ...added.map(({ time }) => time)])].sort((a, b) => a - b);
  const own = new Map(added.map((row) => [row.time, row]));
  const known = new Map(Array.from(rows.time, (time, sample) => [time, sample]));
  const origin = []; // a row, or one of `added`
  const start = times.map((time) => {
    const at = origin.length;
    const [first, end] = known.has(time) ? rowsOf(rows, known.get(time)) : [0, 0];
    for (let row = first; row < end; row++) origin.push(row);
    if (own.has(time)) origin.push(own.get(time));
    return at;
  });
  const duration = times.map((time) => (known.has(time) ? rows.duration[known.get(time)] : own.get(time).duration));
  const made = { count: origin.length, samples: times.length, time: Float64Array.from(times), start: Int32Array.from(start) };
  made.duration = Float64Array.from(duration);
  for (const [name, values] of Object.entries(rows)) {
    if (!ArrayBuffer.isView(values) || SAMPLE_COLUMNS.includes(name)) continue;
    made[name] = values.constructor.from(origin, (row) => (typeof row === "number" ? values[row] : valueOf(row, name)));
  }
  made.next = nextOf(rows, added, origin);
  return made;
}

function valueOf({ track, box, label }, name) {
  const side = ["x1", "y1", "x2", "y2"].indexOf(name);
  if (side >= 0) return Math.round(box[side]);
  return { track, labelY: Math.round(label) }[name] ?? 0;
}

/** How many rows further on the one is that each box moves to, now that others are between them. */
function nextOf(rows, added, origin) {
  const place = new Map(origin.map((row, at) => [row, at]));
  const following = new Map(added.map((row, i) => [row, added[i + 1]]));
  return Int32Array.from(origin, (row, at) => {
    const next = typeof row === "number" ? rows.next[row] && row + rows.next[row] : following.get(row);
    return next ? place.get(next) - at : 0;
  });
}

/** Share of the smaller and the larger that two boxes have in common. */
function overlap(a, b) {
  const area = ([x1, y1, x2, y2]) => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both / (area(a) + area(b) - both || 1);
}
