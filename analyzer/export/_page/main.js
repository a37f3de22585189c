// Joins the parts, and listens to buttons and keys.

const element = (id) => document.getElementById(id);

function wirePlayer(player) {
  const { video } = player;
  const { duration } = player;
  const [seek, clockText, seen] = [element("seek"), element("clock"), element("seen")];
  seek.max = duration;
  element("stage").style.aspectRatio = `${player.report.medium.width} / ${player.report.medium.height}`;
  player.onTime = (time) => {
    seek.value = time;
    seek.setAttribute("aria-valuetext", clock(time));
    clockText.textContent = `${clock(time, 3)} / ${clock(duration)}`;
    document.querySelector("main").style.setProperty("--at", (time / (duration || 1)).toFixed(4));
    const who = player.faces.map(({ label }) => label).join("; ") || "no face";
    if (seen.textContent !== who) seen.textContent = who;
    for (const place of document.querySelectorAll(".place")) place.value = time;
    player.onFaces();
  };
  wireSources(player);
  seek.addEventListener("input", () => player.seek(Number(seek.value)));
  element("play").addEventListener("click", () => player.toggle());
  for (const event of ["play", "pause"]) {
    video.addEventListener(event, () => (element("play").textContent = video.paused ? "Play" : "Pause"));
  }
  element("speed").addEventListener("change", ({ target }) => (video.playbackRate = Number(target.value)));
  element("mute").addEventListener("change", ({ target }) => (video.muted = target.checked));
  element("show").addEventListener("change", ({ target }) => {
    player.shown = target.checked;
    player.draw();
  });
  element("full").addEventListener("click", fullScreen);
  element("choose").addEventListener("click", () => element("file").click());
  element("file").addEventListener("change", ({ target }) => target.files[0] && player.sources.choose(target.files[0]));
}

function wireSources({ sources }) {
  const show = (id) => (text) => {
    element(id).textContent = text;
    element(id).hidden = !text;
  };
  sources.onTrouble = show("trouble");
  sources.onNote = (text) => {
    show("playing")(text);
    // The annotated video has boxes of its own, those of its day.
    element("show").checked = sources.playing.kind !== "annotated";
    element("show").dispatchEvent(new Event("change"));
  };
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else element("screen").requestFullscreen();
}

/** A click on a box chooses its person; beside the boxes, it plays and pauses. */
function wireStage(view) {
  const { player, here, drawing } = view;
  player.onFaces = () => here.show();
  element("stage").addEventListener("click", ({ clientX, clientY }) => {
    if (drawing.active) return;
    const { left, top } = element("stage").getBoundingClientRect();
    const face = player.shown && here.faceAt(clientX - left, clientY - top);
    if (face) view.pick(face.person);
    else player.toggle();
  });
}

function wireSearch(view) {
  const search = element("search");
  search.addEventListener("input", () => view.filter());
  search.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") view.chooseFound();
    if (key !== "Escape") return;
    search.value = "";
    view.filter();
    search.blur();
  });
}

function wireCorrections(view) {
  element("redo").addEventListener("click", () => view.redo());
  element("merge").addEventListener("click", () => view.merge());
  element("undo").addEventListener("click", () => view.undo());
  element("save").addEventListener("click", () => save(view));
  element("open").addEventListener("click", () => element("saved").click());
  element("saved").addEventListener("change", ({ target }) => target.files[0] && open(view, target));
  window.addEventListener("beforeunload", (event) => {
    if (view.model.unsaved) event.preventDefault();
  });
}

function save(view) {
  const text = `${JSON.stringify(view.model.document(), null, 2)}\n`;
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: "corrections.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  view.model.markSaved();
  view.say("Saved as corrections.json");
  view.toolbar();
}

async function open(view, chooser) {
  const [file] = chooser.files;
  try {
    if (view.model.unsaved) throw new Error("save or undo the corrections made here first");
    view.model.load(await file.text());
    view.say(`Opened ${file.name}`);
  } catch (error) {
    view.say(`${file.name} cannot be opened: ${error.message}`);
  }
  chooser.value = "";
  view.refresh();
}

async function main() {
  if (!("DecompressionStream" in window)) {
    throw new Error("this browser is too old; use Chrome or Edge 80, Firefox 113, Safari 16.4, or later");
  }
  const report = await readReport();
  const model = new Model(report);
  const player = new Player(report, model);
  const view = (window.view = new View(report, model, player)); // for tests and for the curious
  wirePlayer(player);
  wireStage(view);
  wireSearch(view);
  wireCorrections(view);
  wireKeys(view);
  await document.fonts.load("16px Label");
  view.refresh();
  player.at(0);
  player.sources.open();
  document.body.dataset.ready = "true";
  performance.mark("ready");
}

main().catch((error) => {
  element("counts").textContent = `The page cannot be shown: ${error.message}`;
  throw error;
});
