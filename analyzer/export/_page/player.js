// The video with boxes over it. Times are the report's: the container's start counts as 0.

const TO_PICTURE_S = 1e-3; // a seek to a picture's very time may end on the picture before
const NUDGE_S = 0.01;
const NUDGES = 20;
const ASK_AGAIN_MS = 200;
const ASKS = 100;

class Player {
  constructor(report, model) {
    this.report = report;
    this.model = model;
    this.video = document.getElementById("video");
    this.canvas = document.getElementById("boxes");
    this.stage = document.getElementById("stage");
    this.sources = new Sources(report.medium, this.video);
    this.sources.onLoad = (source) => this.begin(source);
    this.offset = 0;
    this.origin = report.medium.origin;
    this.asked = null;
    this.settled = false;
    this.wanted = null;
    this.goal = null;
    this.time = 0;
    this.shown = true;
    this.onTime = () => {};
    this.onFaces = () => {};
    this.listen();
  }

  listen() {
    const { video } = this;
    if ("requestVideoFrameCallback" in video) this.followPictures();
    else this.followClock();
    for (const event of ["durationchange", "seeked"]) video.addEventListener(event, () => this.seekAgain());
    video.addEventListener("seeked", () => this.seekLater());
    video.addEventListener("play", () => (this.asked = null));
    // A hidden page is shown no picture to settle by.
    video.addEventListener("loadeddata", () => setTimeout(() => this.settle(video.currentTime, 0), 1000));
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  /** The time is that of the picture on the screen. */
  followPictures() {
    const picture = (_, { mediaTime }) => {
      this.settle(mediaTime, this.report.medium.first);
      const time = mediaTime - this.offset;
      if (this.wanted === null && this.beyond === null && !this.nudge(time)) this.at(time);
      this.wanted = null;
      this.video.requestVideoFrameCallback(picture);
    };
    this.video.requestVideoFrameCallback(picture);
  }

  /**
   * Seek on where a seek to a picture has ended before it: a browser guesses how long the picture
   * before lasts, and is wrong where pictures come at uneven times.
   */
  nudge(time) {
    if (!this.goal || !this.video.paused || time >= this.goal.time - CLOCK_S || !this.goal.left--) {
      this.goal = null;
      return false;
    }
    this.video.currentTime += NUDGE_S;
    return true;
  }

  /** The time is that of the clock, as often as the screen is drawn. */
  followClock() {
    const now = () => this.at(this.video.currentTime - this.offset);
    const follow = () => {
      if (!this.video.paused) now();
      requestAnimationFrame(follow);
    };
    follow();
    this.video.addEventListener("seeked", now);
  }

  /**
   * Find whether this browser counts from 0 or from the container's start, by what it shows first;
   * then go where the reader wanted to be meanwhile.
   */
  settle(shown, expected) {
    if (this.settled) return;
    this.settled = true;
    const { origin } = this;
    const near = (offset) => Math.abs(shown - expected - offset);
    this.offset = near(origin) < near(0) ? origin : 0;
    if (this.wanted !== null) this.seek(this.wanted);
  }

  /** Begin anew with another file, at the time that the reader is at. */
  begin({ kind }) {
    this.settled = false;
    if (this.time) this.wanted = this.time;
    // The copy and the annotated video begin at 0, whatever the medium does.
    this.origin = kind === "copy" || kind === "annotated" ? 0 : this.report.medium.origin;
  }

  /**
   * Where a seek is to end that the browser cuts at a duration without the film's start; null where
   * it has ended. Chromium leaves the start of an MP4 out, and finds more of the film as it reads.
   */
  get beyond() {
    const { video } = this;
    if (this.asked === null || !this.settled || !this.offset || !video.paused) return null;
    const goal = this.asked + this.offset + TO_PICTURE_S;
    return video.currentTime < goal - CLOCK_S && this.asked < this.duration - CLOCK_S ? goal : null;
  }

  seekAgain() {
    const { video, beyond } = this;
    if (beyond === null || video.duration < video.currentTime + CLOCK_S) return;
    if (!video.seeking || video.duration >= beyond) video.currentTime = beyond;
  }

  /** A browser that has found no more of the film for a while reads on when it is asked again. */
  seekLater() {
    clearTimeout(this.later);
    if (this.beyond === null || !this.asks--) return;
    this.later = setTimeout(() => {
      if (this.beyond !== null && !this.video.seeking) this.video.currentTime = this.beyond;
    }, ASK_AGAIN_MS);
  }

  get duration() {
    return this.report.medium.duration;
  }

  seek(time) {
    const within = Math.min(Math.max(time, 0), this.duration);
    const { rows } = this.report;
    const sample = lastAtMost(rows.time, within + SAME_TIME_S);
    const exact = sample >= 0 && within - rows.time[sample] < SAME_TIME_S;
    this.goal = exact ? { time: within, left: NUDGES } : null;
    this.asked = within;
    this.asks = ASKS;
    if (this.settled) this.video.currentTime = within + this.offset + TO_PICTURE_S;
    else this.wanted = within;
    this.at(within);
  }

  /** Go to the analysed picture after (1) or before (-1) this one. */
  step(way) {
    const { rows } = this.report;
    this.video.pause();
    const before = lastAtMost(rows.time, this.time + CLOCK_S);
    const here = sampleAt(rows, this.time);
    const usual = rows.samples ? rows.duration[Math.floor(rows.samples / 2)] : 1;
    if (way > 0) {
      const end = here >= 0 ? rows.time[here] + rows.duration[here] : this.time + usual;
      this.seek(before + 1 < rows.samples ? Math.min(end, rows.time[before + 1]) : end);
      return;
    }
    const start = here >= 0 ? rows.time[here] : this.time;
    const earlier = here >= 0 ? here - 1 : before;
    this.seek(earlier >= 0 ? Math.max(start - usual, rows.time[earlier]) : start - usual);
  }

  toggle() {
    if (this.video.paused) this.video.play().catch(() => this.sources.onTrouble(this.sources.lament()));
    else this.video.pause();
  }

  at(time) {
    this.time = Math.max(time, 0);
    this.draw();
    this.onTime(this.time);
  }

  /** Where the picture lies in the stage, in CSS pixels. */
  picture() {
    const { clientWidth, clientHeight } = this.stage;
    const { videoWidth, videoHeight } = this.video;
    const { width, height } = this.report.medium;
    const ratio = videoWidth && videoHeight ? videoWidth / videoHeight : width / height;
    const w = Math.min(clientWidth, clientHeight * ratio);
    const h = w / ratio;
    return { x: (clientWidth - w) / 2, y: (clientHeight - h) / 2, w, h };
  }

  /** A point of the stage, in CSS pixels, as pixels of the picture. */
  toPicture(x, y) {
    const place = this.picture();
    const { width, height } = this.report.medium;
    return [((x - place.x) * width) / place.w, ((y - place.y) * height) / place.h];
  }

  draw() {
    const { canvas, stage } = this;
    const dense = window.devicePixelRatio || 1;
    const [w, h] = [stage.clientWidth, stage.clientHeight].map((side) => Math.round(side * dense));
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, w, h);
    this.faces = this.visible();
    if (!this.shown) return;
    const place = this.picture();
    for (const face of this.faces) drawFace(pen, place, this.report, face);
    for (const face of this.faces) drawLabel(pen, place, this.report, face);
  }

  /** The faces of this moment: row, person, colour, label, its text as drawn, and where both are. */
  visible() {
    const { rows } = this.report;
    const { model, time } = this;
    const found = [];
    for (const row of model.shown.rowsAt(time)) {
      const person = model.owner[rows.track[row]];
      if (person === NOT_A_FACE) continue;
      const label = model.shown.labelOf(rows.track[row]);
      const text = model.shown.shortLabelOf(rows.track[row], rows.text[row]);
      const [box, corner] = [model.shown.boxOf(row, time), model.shown.cornerOf(row, time)];
      found.push({ row, person, colour: model.shown.colourOf(person), label, text, box, corner });
    }
    return found.sort((a, b) => a.row - b.row);
  }
}

/** What is in the report's pixels, in those of the screen. */
function onScreen(place, { medium }, [x, y]) {
  return [place.x + (x * place.w) / medium.width, place.y + (y * place.h) / medium.height];
}

function drawFace(pen, place, report, { row, person, colour, box }) {
  const [x, y] = onScreen(place, report, box);
  const [right, foot] = onScreen(place, report, box.slice(2));
  const line = Math.max(2, Math.min(place.w, place.h) / 240) * (person < 0 ? 0.5 : 1);
  pen.setLineDash(report.rows.detected[row] ? [] : [3 * line, 2 * line]); // dashed: tracked, not detected
  pen.strokeStyle = "#000a";
  pen.lineWidth = line + 2;
  pen.strokeRect(x, y, right - x, foot - y);
  pen.strokeStyle = colour;
  pen.lineWidth = line;
  pen.strokeRect(x, y, right - x, foot - y);
}

/** Where the exporter placed it; always inside the picture, with a line where it stands away. */
function drawLabel(pen, place, report, { row, person, colour, text, box, corner }) {
  if (!text) return;
  const size = Math.max(9, Math.min(place.w, place.h) * 0.045 * (person < 0 ? 0.7 : 1));
  pen.setLineDash([]);
  pen.font = `${size * 0.84}px Label, system-ui, sans-serif`;
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  const width = pen.measureText(text).width;
  const [x, y] = onScreen(place, report, corner);
  const left = Math.max(place.x, Math.min(x, place.x + place.w - width));
  if (report.rows.away[row]) drawLeader(pen, place, report, { colour, box, label: [left, y, left + width, y + size] });
  pen.lineWidth = Math.max(3, size / 5);
  pen.strokeStyle = "#000";
  pen.strokeText(text, left, y + size / 2);
  pen.fillStyle = colour;
  pen.fillText(text, left, y + size / 2);
}

/** An upright or level line from a label to its box. */
function drawLeader(pen, place, report, { colour, box, label }) {
  const face = [...onScreen(place, report, box), ...onScreen(place, report, box.slice(2))];
  const ends = [0, 1].map((axis) => {
    const [low, high] = [Math.max(face[axis], label[axis]), Math.min(face[axis + 2], label[axis + 2])];
    return low <= high ? [(low + high) / 2, (low + high) / 2] : [high, low];
  });
  for (const [shade, width] of [["#000a", 3], [colour, 1]]) {
    pen.strokeStyle = shade;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(ends[0][0], ends[1][0]);
    pen.lineTo(ends[0][1], ends[1][1]);
    pen.stroke();
  }
}
