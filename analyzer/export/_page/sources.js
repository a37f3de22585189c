// Which file is played: the medium, the copy in the page, the annotated video beside it, a chosen file.

const COPY_COMMAND = "ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p -c:a aac OUT.mp4";

class Sources {
  constructor(medium, video) {
    Object.assign(this, { medium, video });
    this.left = [];
    this.playing = null;
    this.chosen = null;
    this.soundOnly = null;
    this.onLoad = () => {};
    this.onTrouble = () => {};
    this.onNote = () => {};
    video.addEventListener("error", () => this.next());
    video.addEventListener("loadedmetadata", () => this.check());
  }

  /** Try all of them, one after the other. */
  open() {
    const copy = document.getElementById("copy");
    const found = this.medium.links.map((url) => ({ kind: "medium", url }));
    if (copy) found.push({ kind: "copy", url: urlOfCopy(copy.textContent) });
    const annotated = location.pathname.split("/").pop().replace(/\.[^.]*$/, ".mp4");
    if (!found.some(({ url }) => url === `./${annotated}`)) found.push({ kind: "annotated", url: `./${annotated}` });
    this.left = found;
    this.next();
  }

  choose(file) {
    if (this.chosen) URL.revokeObjectURL(this.chosen.url);
    this.chosen = { kind: "chosen", url: URL.createObjectURL(file), name: file.name };
    this.soundOnly = null;
    this.left = [this.chosen];
    this.next();
  }

  next() {
    const source = this.left.shift();
    if (!source) {
      this.playing = null;
      this.onTrouble(this.lament());
      return;
    }
    this.playing = source;
    this.onLoad(source);
    this.video.src = source.url;
  }

  /** What has sound alone for this browser is no video: `error` is not heard of it. */
  check() {
    if (!this.video.videoWidth) {
      this.soundOnly = this.soundOnly || this.playing;
      this.next();
      return;
    }
    this.onTrouble(this.doubt());
    this.onNote(this.note());
  }

  note() {
    const { kind, url } = this.playing;
    if (kind === "copy") return `A small copy is played: this browser does not play ${this.medium.name}.`;
    if (kind !== "annotated") return "";
    return `${decodeURIComponentSafely(url.slice(2))} is played, with the boxes that are in its pictures: this browser does not play ${this.medium.name}.`;
  }

  lament() {
    const { name, links } = this.medium;
    const copy = `make a copy that browsers play: ${COPY_COMMAND}`;
    if (this.chosen) return `This browser cannot play ${this.soundOnly ? "the pictures of " : ""}${this.chosen.name}; ${copy}, and choose that.`;
    if (this.soundOnly) return `This browser plays the sound of ${name}, not its pictures. Export mp4 or html again beside it, or ${copy}, and choose that.`;
    const place = decodeURIComponentSafely(links[0]);
    return `This browser cannot find or play ${name}: it looked for ${place}, seen from this page. Choose the file; if it cannot be played, ${copy}, and choose that.`;
  }

  doubt() {
    const { duration, name, origin } = this.medium;
    const excess = Math.abs(this.video.duration - duration);
    if (this.playing.kind !== "chosen" || !(excess > 1 + origin)) return "";
    return `${this.playing.name} is ${this.video.duration.toFixed(1)} s long and ${name} ${duration.toFixed(1)} s: is it another video?`;
  }
}

function urlOfCopy(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
}

function decodeURIComponentSafely(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return address; // a name that is no UTF-8
  }
}
