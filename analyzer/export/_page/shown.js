// What is drawn over the video, and when: boxes that move, labels at their places, colours.
// analyzer/export/_shown.py says where the labels stand, and which colour a person has.

class Shown {
  constructor(model) {
    this.model = model;
    this.shotStarts = model.report.shots.map(([start]) => start);
  }

  /** Take what the corrections have changed. */
  replay() {
    const { report } = this.model;
    if (report.rows !== this.rows) this.longest = longestSpan(report);
    this.rows = report.rows;
    this.colours = this.coloursOfAll();
  }

  colourOf(person) {
    const { palette, nobody } = this.model.report;
    return `#${person < 0 ? nobody : palette[this.colours.get(person)]}`;
  }

  /** Everybody's colour: that of the report, unless another on screen at the same time has it. */
  coloursOfAll() {
    const { people, report } = this.model;
    const given = new Map(report.persons.map(({ id, colour }) => [id, colour]));
    const together = this.seenTogether();
    const chosen = new Map();
    for (const { id } of people) {
      if (id === NOBODY) continue;
      const taken = new Set([...(together.get(id) || [])].map((other) => chosen.get(other)));
      const own = given.get(id);
      chosen.set(id, own !== undefined && !taken.has(own) ? own : rarest(report.palette.length, chosen, taken));
    }
    return chosen;
  }

  /** The persons that each person shares a picture with. */
  seenTogether() {
    const { rows } = this.model.report;
    const together = new Map();
    for (let sample = 0; sample < rows.samples; sample++) {
      const [first, end] = rowsOf(rows, sample);
      if (end - first < 2) continue;
      const here = [...new Set(Array.from(rows.track.subarray(first, end), (track) => this.model.owner[track]))].filter((id) => id >= 0);
      for (const person of here) {
        if (!together.has(person)) together.set(person, new Set());
        for (const other of here) if (other !== person) together.get(person).add(other);
      }
    }
    return together;
  }

  /** The box of a row's track at a time: on the way to the next sample, if it moves. */
  boxOf(row, time) {
    const { rows } = this.model.report;
    const next = row + rows.next[row];
    const sides = (at) => [rows.x1[at], rows.y1[at], rows.x2[at], rows.y2[at]];
    if (next === row) return sides(row);
    const share = this.shareOf(row, next, time);
    const to = sides(next);
    return sides(row).map((side, i) => side + (to[i] - side) * share);
  }

  /** Upper left corner of the label of a row at a time. */
  cornerOf(row, time) {
    const { rows } = this.model.report;
    const next = row + rows.next[row];
    const share = this.shareOf(row, next, time);
    const corner = (at) => [rows.x1[at] + rows.labelX[at], rows.y1[at] + rows.labelY[at]];
    const to = corner(next);
    return corner(row).map((side, i) => side + (to[i] - side) * share);
  }

  shareOf(row, next, time) {
    if (next === row) return 0;
    const { start, end } = this.spanOf(row);
    return Math.min(1, Math.max(0, (time - start) / (end - start)));
  }

  /** From when to when a row's box is drawn. */
  spanOf(row) {
    const { rows, shots } = this.model.report;
    const sample = lastAtMost(rows.start, row);
    const start = rows.time[sample];
    if (rows.next[row]) return { start, end: rows.time[lastAtMost(rows.start, row + rows.next[row])] };
    const end = start + rows.duration[sample];
    const cut = shots[lastAtMost(this.shotStarts, start + SAME_TIME_S) + 1];
    return { start, end: cut ? Math.min(end, cut[0]) : end };
  }

  /** The rows of which the boxes are drawn at a time. */
  rowsAt(time) {
    const { rows } = this.model.report;
    const found = [];
    const moment = time + CLOCK_S;
    for (let sample = lastAtMost(rows.time, moment); sample >= 0; sample--) {
      if (rows.time[sample] + this.longest < moment) break;
      const [first, end] = rowsOf(rows, sample);
      for (let row = first; row < end; row++) if (moment < this.spanOf(row).end) found.push(row);
    }
    return found;
  }

  /** A label as long as there is room: 0 whole, 1 the name, 2 its first word or number. */
  shortLabelOf(track, shortened) {
    const person = this.model.owner[track];
    if (person === NOBODY) return shortened > 1 ? "" : this.model.report.tracks.texts[track];
    if (!shortened) return this.labelOf(track);
    const name = this.model.nameOf(person);
    if (shortened === 1) return name;
    const word = this.model.names.get(person) ? name.split(/\s+/)[0] : `${person}`;
    return word.length > 8 ? `${word.slice(0, 7)}…` : word;
  }

  /** The text beside the boxes of a track: name, sex and age of its person; what is known of nobody's. */
  labelOf(track) {
    const person = this.model.owner[track];
    const attributes = this.model.attributes.get(person) || {};
    const known = person !== NOBODY && Object.keys(attributes).length;
    const text = known ? sexAndAge(attributes) : this.model.report.tracks.texts[track];
    const name = person === NOBODY ? "face" : this.model.nameOf(person);
    return [name, text].filter(Boolean).join("  ");
  }
}

/** The colour that the fewest have, of those that are not taken. */
function rarest(count, chosen, taken) {
  const users = Array.from({ length: count }, () => 0);
  for (const colour of chosen.values()) users[colour]++;
  const free = [...users.keys()].filter((colour) => !taken.has(colour));
  return (free.length ? free : [...users.keys()]).sort((a, b) => users[a] - users[b] || a - b)[0];
}

/** `f 34`, without what is unknown. */
function sexAndAge({ sex, age }) {
  const years = age && age.label ? String(Math.round(Number(age.label))) : "";
  return [sex && sex.label, years].filter(Boolean).join(" ");
}

/** The longest time for which a box is drawn. */
function longestSpan({ rows }) {
  let longest = 0;
  for (let sample = 0; sample < rows.samples; sample++) {
    const [first, end] = rowsOf(rows, sample);
    longest = Math.max(longest, rows.duration[sample]);
    for (let row = first; row < end; row++) {
      if (!rows.next[row]) continue;
      const later = lastAtMost(rows.start, row + rows.next[row]);
      longest = Math.max(longest, rows.time[later] - rows.time[sample]);
    }
  }
  return longest;
}
