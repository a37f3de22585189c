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
  }

  /** The faces of this moment: row, person and label. */
  visible() {
    const { rows } = this.report;
    const sample = sampleAt(rows, this.time);
    if (sample < 0) return [];
    const [first, end] = rowsOf(rows, sample);
    const found = [];
    for (let row = first; row < end; row++) {
      const person = this.model.owner[rows.track[row]];
      if (person === NOT_A_FACE) continue;
      found.push({ row, person, label: this.model.labelOf(rows.track[row]) });
    }
    return found;
  }
}

function drawFace(pen, place, report, { row, person, label }) {
  const { rows, medium } = report;
  const [sx, sy] = [place.w / medium.width, place.h / medium.height];
  const [x, y] = [place.x + rows.x1[row] * sx, place.y + rows.y1[row] * sy];
  const [w, h] = [(rows.x2[row] - rows.x1[row]) * sx, (rows.y2[row] - rows.y1[row]) * sy];
  const line = Math.max(2, Math.min(place.w, place.h) / 240);
  pen.setLineDash(rows.detected[row] ? [] : [3 * line, 2 * line]); // dashed: tracked, not detected
  pen.strokeStyle = "#000a";
  pen.lineWidth = line + 2;
  pen.strokeRect(x, y, w, h);
  pen.strokeStyle = colourOf(report, person);
  pen.lineWidth = line;
  pen.strokeRect(x, y, w, h);
  drawLabel(pen, place, label, { x, y, h, line, colour: colourOf(report, person) });
}

/** Above the box, else below it; always inside the picture. */
function drawLabel(pen, place, label, { x, y, h, line, colour }) {
  const size = Math.max(11, Math.min(place.w, place.h) * 0.04);
  pen.setLineDash([]);
  pen.font = `600 ${size}px system-ui, sans-serif`;
  pen.textBaseline = "bottom";
  const room = place.x + place.w - pen.measureText(label).width - line;
  const left = Math.max(place.x + line, Math.min(x, room));
  const above = y - line > place.y + size;
  const foot = above ? y - line : Math.min(y + h + line + size * 1.1, place.y + place.h);
  pen.lineJoin = "round";
  pen.lineWidth = Math.max(3, size / 5);
  pen.strokeStyle = "#000";
  pen.strokeText(label, left, foot);
  pen.fillStyle = colour;
  pen.fillText(label, left, foot);
}

function colourOf({ palette, nobody }, person) {
  return `#${person < 0 ? nobody : palette[person % palette.length]}`;
}
