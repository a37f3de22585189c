// The list of characters: a card each, with what can be said of the person.

function characterCard(view, person) {
  const { id } = person;
  const colour = view.model.shown.colourOf(id);
  const item = h("li", { class: "character", "data-person": id, "aria-current": id === view.chosen ? "true" : null },
    selector(view, person), portraitOf(view, person), view.editing === id ? editForm(view, person) : heading(view, person),
    id === NOBODY || view.editing === id ? h("span", {}) : editButton(view, person),
    bar(person.intervals, view.report.medium.duration, {
      colour,
      label: `${person.name} is on screen ${plural(person.intervals.length, "time", "times")}`,
      onseek: (time) => view.player.seek(time),
    }),
    unfolding(view, `tracks ${id}`, plural(person.tracks.length, "track", "tracks"), () => person.tracks.map((track) => trackItem(view, person, track))),
    id === NOBODY ? "" : unfolding(view, `alike ${id}`, "Alike", () => alikeItems(view, person)));
  item.style.setProperty("--colour", colour);
  return item;
}

function selector(view, { id, name }) {
  if (id === NOBODY) return h("span", {});
  const change = ({ target }) => {
    if (target.checked) view.selected.add(id);
    else view.selected.delete(id);
    view.toolbar();
  };
  const box = h("input", { type: "checkbox", "data-key": `select ${id}`, "aria-label": `Select ${name} to merge`, onchange: change });
  box.checked = view.selected.has(id);
  return box;
}

/** The picture of the best track that the person still has, or a silhouette. */
function portraitOf({ report }, person, kind = "portrait") {
  const { pictures, best } = report;
  const track = [best[person.id], ...person.tracks].find((t) => person.tracks.includes(t) && pictures[t]);
  return picture(pictures[track], kind);
}

function heading(view, person) {
  const { id, name, screen, intervals } = person;
  const { duration } = view.report.medium;
  const share = duration ? ` (${percent(screen / duration)})` : "";
  const facts = [`${length(screen)}${share}`, plural(intervals.length, "appearance", "appearances")];
  const title = person.exact ? null : "as corrected here; exact figures when the corrections are applied";
  return h("button", { class: "go", "data-key": `go ${id}`, title, onclick: () => view.choose(id) },
    h("span", { class: "name" }, name),
    h("span", { class: "facts" }, id === NOBODY ? "unidentified faces" : attributeText(person)),
    h("span", { class: "facts" }, facts.join(" · ")));
}

function editButton(view, { id, name }) {
  return h("button", { class: "small", "data-key": `edit ${id}`, "aria-label": `Edit ${name}`, onclick: () => view.edit(id) }, "Edit");
}

/** Name, sex and age of a person; what is changed becomes a correction each. */
function editForm(view, { id, name, attributes }) {
  const close = () => {
    view.editing = null;
    view.refresh(`go ${id}`);
  };
  const known = (head) => (attributes[head] && attributes[head].label) || "";
  const text = h("input", { type: "text", "aria-label": `Name of ${name}`, "data-key": `name ${id}`, maxlength: 200, autocomplete: "off", placeholder: "name" });
  text.value = view.model.names.get(id) || "";
  const sex = h("select", { "aria-label": `Sex of ${name}`, "data-key": `sex ${id}` },
    ...Object.entries(SEXES).map(([label, words]) => h("option", { value: label }, words)));
  sex.value = known("sex");
  const years = known("age") && String(Math.round(Number(known("age"))));
  const age = h("input", { type: "number", "aria-label": `Age of ${name} in years`, "data-key": `age ${id}`, min: 0, max: 120, step: 1, placeholder: "age" });
  age.value = years;
  const submit = (event) => {
    event.preventDefault();
    const changes = [];
    if (text.value.trim() !== (view.model.names.get(id) || "")) changes.push({ op: "rename", person: id, name: text.value.trim() });
    if (sex.value !== known("sex")) changes.push({ op: "sex", person: id, label: sex.value });
    if (age.value !== years) changes.push({ op: "age", person: id, label: age.value });
    for (const change of changes) view.model.make(change);
    if (changes.length) view.say(changes.map(inWords).join("; "));
    close();
  };
  const escape = (event) => event.key === "Escape" && close();
  return h("form", { class: "edit", onsubmit: submit, onkeydown: escape }, text, sex, age, h("button", {}, "OK"),
    h("button", { type: "button", onclick: close }, "Cancel"));
}

/** A list that is made when it is unfolded, and stays so when all is made anew. */
function unfolding(view, key, title, items) {
  const box = h("details", { class: "tracks", open: view.unfolded.has(key) }, h("summary", { "data-key": key }, title));
  const fillIn = () => {
    if (box.open && !box.querySelector("ul")) box.append(h("ul", {}, ...items()));
  };
  box.addEventListener("toggle", () => {
    if (box.open) view.unfolded.add(key);
    else view.unfolded.delete(key);
    fillIn();
  });
  fillIn();
  return box;
}

function trackItem(view, person, track) {
  const { rows, tracks, pictures } = view.report;
  const all = view.model.trackRows[track];
  const [first, last] = [all[0], all[all.length - 1]].map((row) => lastAtMost(rows.start, row));
  const [start, end] = [rows.time[first], rows.time[last] + rows.duration[last]];
  const span = `${clock(start)} – ${clock(end)}`;
  const number = tracks.id[track];
  const alone = person.id !== NOBODY && person.tracks.length === 1;
  const button = (op, name, label) => h("button", {
    class: "small", "data-key": `${op} ${number}`, "aria-label": label, onclick: () => view.correct({ op, track: number }, `tracks ${person.id}`),
  }, name);
  const place = h("input", {
    type: "range", class: "place", min: start, max: end, step: "any", "data-key": `place ${number}`,
    "aria-label": `Place in track ${number}`, oninput: ({ target }) => view.player.seek(Number(target.value)),
  });
  place.value = view.player.time;
  return h("li", {}, picture(pictures[track], "thumb"),
    h("button", { class: "link", "aria-label": `Go to track ${number}, ${span}`, onclick: () => view.player.seek(start) }, span),
    h("span", { class: "facts" }, plural(all.length, "face", "faces")),
    all.length > 1 ? place : "",
    all.length > 1 ? h("button", { class: "small", "data-key": `cut ${number}`, "aria-label": `Split track ${number} at the place`, onclick: () => view.splitAt(track) }, "Split here") : "",
    alone ? "" : button("split", "Split off", `Split off track ${number}`),
    person.id === NOBODY ? "" : button("not_this_person", `Not ${person.name}`, `Track ${number} is not ${person.name}`),
    button("not_a_face", "Not a face", `Track ${number} is not a face`));
}

/** The nearest others, each with what can be said of both. */
function alikeItems(view, person) {
  const { id } = person;
  const items = view.model.alike(id).map(([other, distance]) => {
    const found = view.byId(other);
    return h("li", { "data-alike": other }, portraitOf(view, found, "thumb"),
      h("button", { class: "link", "aria-label": `Go to ${found.name}`, onclick: () => view.choose(other) }, found.name),
      h("span", { class: "facts", title: "distance of the mean faces; smaller is more alike" }, distance.toFixed(2)),
      h("button", { class: "small", "data-key": `same ${id} ${other}`, "aria-label": `${person.name} and ${found.name} are the same`, onclick: () => view.same(id, other) }, "Same"),
      h("button", { class: "small", "data-key": `unlike ${id} ${other}`, "aria-label": `${person.name} and ${found.name} are not the same`, onclick: () => view.unlike(id, other) }, "Not the same"));
  });
  return items.length ? items : [h("li", { class: "facts" }, "Nobody else is left to compare.")];
}

function picture(data, kind) {
  if (!data) return h("span", { class: `${kind} missing`, "aria-hidden": "true" });
  return h("img", { class: kind, alt: "", src: `data:image/jpeg;base64,${data}`, loading: "lazy" });
}
