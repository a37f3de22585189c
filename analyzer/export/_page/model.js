// Who is who: the report's tracks and persons with the corrections made so far, and what follows.

const NOBODY = -1;
const NOT_A_FACE = -2;
const ANCHORS = 5;
const ALIKE = 5;

class Model {
  constructor(report) {
    this.report = report;
    this.made = [];
    this.undone = [];
    this.saved = [];
    this.read = { rows: report.rows, tracks: report.tracks, trackRows: rowsOfTracks(report) };
    this.shown = new Shown(this);
    this.replay();
  }

  /** Make one correction; what it touches is anchored by faces, for numbers may change. */
  make(op) {
    this.made.push({ ...op, ...this.anchors(op) });
    this.undone = [];
    this.replay();
  }

  undo() {
    const undone = this.made.pop();
    this.undone.push(undone);
    this.replay();
    return undone;
  }

  redo() {
    const again = this.undone.pop();
    this.made.push(again);
    this.replay();
    return again;
  }

  get unsaved() {
    return this.made.length !== this.saved.length || this.made.some((op, i) => op !== this.saved[i]);
  }

  markSaved() {
    this.saved = [...this.made];
  }

  /** Start from the report, and apply all corrections in their order. */
  replay() {
    this.restart();
    for (const op of this.made) this.apply(op);
    this.people = this.figures();
    this.attributes = new Map(this.people.map(({ id, attributes }) => [id, attributes]));
    this.shown.replay();
  }

  restart() {
    const { report, read } = this;
    const { tracks } = read;
    report.rows = read.rows;
    report.tracks = { ...tracks, id: [...tracks.id], weight: [...tracks.weight], texts: [...tracks.texts] };
    report.tracks.labels = Object.fromEntries(Object.entries(tracks.labels).map(([head, all]) => [head, [...all]]));
    this.trackRows = read.trackRows;
    this.owner = [...tracks.person];
    this.names = new Map(report.persons.map((p) => [p.id, p.name]));
    this.next = 1 + Math.max(-1, ...this.names.keys());
    this.said = new Map();
    this.apart = [...report.apart];
    this.joined = new Map();
    this.recut = new Set();
  }

  apply(op) {
    APPLY[op.op](this, op);
  }

  join([kept, ...others]) {
    const gone = new Set(others);
    for (let i = 0; i < this.owner.length; i++) if (gone.has(this.owner[i])) this.owner[i] = kept;
    for (const person of others) {
      this.names.delete(person);
      this.said.delete(person);
      this.joined.set(person, kept);
    }
  }

  newPerson() {
    this.names.set(this.next, null);
    return this.next++;
  }

  say(person, head, label) {
    this.said.set(person, { ...this.said.get(person), [head]: { label, low: null, high: null } });
  }

  /** Make a new track, of a new person, of the rows of a track from a time on. */
  cut(track, time) {
    const { report } = this;
    const { rows } = report;
    const first = lastAtMost(rows.time, time - CLOCK_S) + 1;
    const later = this.trackRows[track].filter((row) => row >= (rows.start[first] ?? rows.count));
    if (!later.length || later.length === this.trackRows[track].length) return;
    const made = this.addTrack(track, later.length / this.trackRows[track].length, this.newPerson());
    const tracks = Int32Array.from(rows.track);
    for (const row of later) tracks[row] = made;
    const next = Int32Array.from(rows.next);
    next[this.trackRows[track].findLast((row) => row < later[0])] = 0; // no box moves from one to the other
    report.rows = { ...rows, track: tracks, next };
    this.recut.add(track);
    this.trackRows = rowsOfTracks(report);
  }

  addFace(person, drawn) {
    const track = this.addTrack(-1, 0, person);
    this.report.rows = withFace(this.report, drawn, track);
    this.trackRows = rowsOfTracks(this.report);
  }

  /** Add a track with a share of what is known of another; returns its index. */
  addTrack(source, share, person) {
    const { tracks } = this.report;
    tracks.id.push(1 + Math.max(-1, ...tracks.id));
    tracks.weight.push(source < 0 ? 0 : share * tracks.weight[source]);
    tracks.texts.push(source < 0 ? "" : tracks.texts[source]);
    for (const all of Object.values(tracks.labels)) all.push(source < 0 ? "" : all[source]);
    return this.owner.push(person) - 1;
  }

  /** The person that somebody belongs to by now. */
  nowOf(person) {
    return this.joined.has(person) ? this.nowOf(this.joined.get(person)) : person;
  }

  /** The nearest others of a person who may be the same: number and distance, nearest first. */
  alike(person) {
    const own = Object.keys(this.report.alike).map(Number).filter((id) => this.nowOf(id) === person);
    const parted = new Set(this.apart.map((pair) => pair.map((id) => this.nowOf(id))).filter((pair) => pair.includes(person)).flat());
    const nearest = new Map();
    for (const [id, distance] of own.flatMap((each) => this.report.alike[each])) {
      const other = this.nowOf(id);
      if (other === person || parted.has(other) || !this.attributes.has(other)) continue;
      nearest.set(other, Math.min(distance, nearest.get(other) ?? Infinity));
    }
    return [...nearest].sort((a, b) => a[1] - b[1]).slice(0, ALIKE);
  }

  indexOf(track) {
    return this.report.tracks.id.indexOf(track);
  }

  tracksOf(person) {
    return [...this.owner.keys()].filter((track) => this.owner[track] === person);
  }

  nameOf(person) {
    if (person === NOBODY) return "nobody";
    return this.names.get(person) || `person ${person}`;
  }

  /** Screen time, presence and size of every person, most screen time first; nobody last. */
  figures() {
    const { rows } = this.report;
    const people = new Map([...this.names.keys(), NOBODY].map((id) => [id, unseen(id)]));
    for (let sample = 0; sample < rows.samples; sample++) {
      const [first, end] = rowsOf(rows, sample);
      for (let row = first; row < end; row++) {
        const person = people.get(this.owner[rows.track[row]]);
        if (person) see(person, sample, rows.time[sample], rows.duration[sample]);
      }
    }
    const seen = [...people.values()].filter((person) => person.faces);
    for (const person of seen) this.describe(person);
    const rank = (p) => (p.id === NOBODY ? Infinity : -p.screen);
    return seen.sort((a, b) => rank(a) - rank(b) || b.faces - a.faces || a.id - b.id);
  }

  describe(person) {
    const { persons, tracks } = this.report;
    const { person: before } = this.read.tracks;
    person.name = this.nameOf(person.id);
    person.tracks = this.tracksOf(person.id);
    const was = persons.find((p) => p.id === person.id);
    const own = [...before.keys()].filter((track) => before[track] === person.id);
    const isCut = person.tracks.some((track) => this.recut.has(track));
    person.exact = Boolean(was) && !isCut && own.join() === person.tracks.join();
    person.attributes = { ...(person.exact ? was.attributes : averages(tracks, person.tracks)), ...this.said.get(person.id) };
  }

  anchors(op) {
    if (OF_SEVERAL.includes(op.op)) return { anchors: op.persons.map((p) => this.facesOf(this.tracksOf(p))) };
    if (OF_TRACKS.includes(op.op)) return { anchor: this.facesOf([this.indexOf(op.track)]) };
    return { anchor: op.person < 0 ? [] : this.facesOf(this.tracksOf(op.person)) };
  }

  /** A few faces of tracks: of one, from all over it; of many, of those that count most. */
  facesOf(tracks) {
    const { weight } = this.report.tracks;
    const best = [...tracks].sort((a, b) => weight[b] - weight[a]).slice(0, ANCHORS);
    const each = Math.max(1, Math.floor(ANCHORS / best.length));
    const chosen = best.flatMap((track) => spread(this.trackRows[track], each));
    return chosen.sort((a, b) => a - b).map((row) => this.face(row));
  }

  face(row) {
    const { rows } = this.report;
    const time = rows.time[lastAtMost(rows.start, row)];
    return { time_s: Number(time.toFixed(6)), bbox: [rows.x1[row], rows.y1[row], rows.x2[row], rows.y2[row]] };
  }

  /** Go on with corrections that were saved; throws, and changes nothing, where they do not fit. */
  load(text) {
    const { format, version, source, corrections } = JSON.parse(text);
    if (format !== "ina-corrections" || version !== 1) throw new Error("no corrections of version 1");
    const { medium, options } = this.report;
    if (source.name !== medium.name) throw new Error(`these are of ${source.name}`);
    if (source.options !== options) throw new Error("these are of an analysis with other options");
    const before = this.made;
    try {
      this.made = [];
      this.undone = [];
      this.replay();
      for (const op of corrections) {
        if (!fits(this, op)) throw new Error("they do not fit what is shown here");
        this.made.push(op);
        this.apply(op);
      }
      this.markSaved();
    } catch (error) {
      this.made = before;
      throw error;
    } finally {
      this.replay();
    }
  }

  document() {
    const { medium, options } = this.report;
    return {
      format: "ina-corrections",
      version: 1,
      source: { uri: medium.uri, name: medium.name, options },
      corrections: this.made,
    };
  }
}

function unseen(id) {
  return { id, faces: 0, screen: 0, sample: -1, intervals: [] };
}

function see(person, sample, time, duration) {
  person.faces++;
  if (person.sample === sample) return;
  person.sample = sample;
  person.screen += duration;
  const last = person.intervals[person.intervals.length - 1];
  if (last && time <= last[1] + SAME_TIME_S) last[1] = Math.max(last[1], time + duration);
  else person.intervals.push([time, time + duration]);
}

function rowsOfTracks({ rows, tracks }) {
  const found = tracks.id.map(() => []);
  for (let row = 0; row < rows.count; row++) found[rows.track[row]].push(row);
  return found;
}

/** At most `count` rows from all over a track. */
function spread(all, count) {
  const length = Math.min(count, all.length);
  return Array.from({ length }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / length)]);
}

/** Attributes of tracks as one: ages averaged, of other labels that with the most weight. */
function averages({ labels, weight }, tracks) {
  const found = {};
  for (const [head, all] of Object.entries(labels)) {
    const known = tracks.filter((track) => all[track] !== "");
    const label = head === "age" ? meanOf(known, all, weight) : mostOf(known, all, weight);
    found[head] = { label, low: null, high: null };
  }
  return found;
}

function meanOf(tracks, labels, weight) {
  let sum = 0;
  let total = 0;
  for (const track of tracks) {
    sum += weight[track] * Number(labels[track]);
    total += weight[track];
  }
  return total ? (sum / total).toFixed(1) : "";
}

function mostOf(tracks, labels, weight) {
  const votes = new Map();
  for (const track of tracks) votes.set(labels[track], (votes.get(labels[track]) || 0) + weight[track]);
  return [...votes].sort((a, b) => b[1] - a[1]).map(([label]) => label)[0] || "";
}
