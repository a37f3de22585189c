// What each kind of correction changes; analyzer/review/ownership.py does the same.

const OF_TRACKS = ["split", "split_at", "not_a_face", "not_this_person"];
const OF_SEVERAL = ["merge", "not_same"];
const SEXES = { f: "f", m: "m", "": "unknown" };

const APPLY = {
  rename: (model, op) => model.names.set(op.person, op.name || null),
  sex: (model, op) => model.say(op.person, "sex", op.label),
  age: (model, op) => model.say(op.person, "age", op.label === "" ? "" : Number(op.label).toFixed(1)),
  merge: (model, op) => model.join(op.persons),
  not_same: (model, op) => op.persons.slice(1).forEach((other) => model.apart.push([op.persons[0], other])),
  split: (model, op) => (model.owner[model.indexOf(op.track)] = model.newPerson()),
  split_at: (model, op) => model.cut(model.indexOf(op.track), op.time_s),
  not_a_face: (model, op) => (model.owner[model.indexOf(op.track)] = NOT_A_FACE),
  not_this_person: (model, op) => (model.owner[model.indexOf(op.track)] = NOBODY),
  add_face: (model, op) => model.addFace(op.person < 0 ? model.newPerson() : op.person, op.drawn),
};

/** Whether a correction that was read means somebody who is here. */
function fits(model, op) {
  const isPerson = (id) => model.names.has(id);
  if (!(op.op in APPLY)) return false;
  if (OF_SEVERAL.includes(op.op)) return new Set(op.persons).size > 1 && op.persons.every(isPerson);
  if (OF_TRACKS.includes(op.op)) return model.indexOf(op.track) >= 0 && (op.op !== "split_at" || op.time_s >= 0);
  if (op.op === "add_face") return (op.person === NOBODY || isPerson(op.person)) && op.drawn.length > 0;
  return isPerson(op.person) && typeof (op.op === "rename" ? op.name : op.label) === "string";
}

function inWords(op) {
  const person = `person ${op.person}`;
  const track = `track ${op.track}`;
  const words = {
    rename: () => (op.name ? `${person} is ${op.name}` : `${person} has no name`),
    sex: () => `${person}: sex ${SEXES[op.label]}`,
    age: () => `${person}: age ${op.label || "unknown"}`,
    merge: () => `persons ${op.persons.join(", ")} are one: person ${op.persons[0]}`,
    not_same: () => `persons ${op.persons.join(", ")} are not the same`,
    split: () => `${track} is a person of its own`,
    split_at: () => `${track} is somebody else from ${clock(op.time_s)}`,
    not_a_face: () => `${track} is not a face`,
    not_this_person: () => `${track} is not this person`,
    add_face: () => `a face of ${op.person < 0 ? "a new person" : person} at ${clock(op.drawn[0].time_s)}`,
  };
  return words[op.op]();
}
