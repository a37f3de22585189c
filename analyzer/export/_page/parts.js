// Small pieces of the page. All text goes in as text: names may hold anything.

const SVG = "http://www.w3.org/2000/svg";

/** An element; properties that begin with "on" are listeners, false ones are left out. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** 5.25 as 0:05.2; digits after the point as asked for; cut, never rounded up. */
function clock(seconds, digits = 1) {
  const unit = 10 ** digits;
  const whole = Math.floor(seconds * unit + 1e-3);
  const total = Math.floor(whole / unit);
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(total / 60);
  const front = minutes < 60 ? `${minutes}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}`;
  const fraction = digits ? `.${String(whole % unit).padStart(digits, "0")}` : "";
  return `${front}:${two(total % 60)}${fraction}`;
}

function length(seconds) {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds, 0);
}

function percent(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

function plural(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** Stretches of time on a bar; a click tells the time under the pointer. */
function bar(stretches, duration, { colour, label, onseek }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${duration || 1} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", stretches.map(([from, to]) => `M${from} 0H${to}V1H${from}z`).join(""));
  path.style.fill = path.style.stroke = colour;
  svg.append(path);
  return h("div", { class: "bar", onclick: (event) => onseek(timeUnder(event, duration)) }, svg);
}

function timeUnder({ clientX, currentTarget }, duration) {
  const { left, width } = currentTarget.getBoundingClientRect();
  return (duration * (clientX - left)) / width;
}

function attributeText({ attributes, exact }) {
  const texts = Object.entries(attributes).map(([head, { label, low, high, why }]) => {
    if (!label) return `${head} ${why || "unknown"}`;
    if (head !== "age") return head === "sex" ? label : `${head} ${label}`;
    const range = low === null ? "" : ` (${Math.round(low)}–${Math.round(high)})`;
    return `age ${Math.round(Number(label))}${range}`;
  });
  return texts.length ? `${exact ? "" : "≈ "}${texts.join(", ")}` : "";
}

/** Seconds on screen by age group and sex, of all persons. */
function screenTimeByGroup(people, ages) {
  const groups = new Map();
  for (const { id, screen, attributes } of people) {
    if (id === NOBODY) continue;
    const years = attributes.age && attributes.age.label;
    const group = years ? (ages.find(({ end }) => Number(years) < end) || ages[ages.length - 1]).label : "unknown";
    const { label, why } = attributes.sex || {};
    const sex = label || (why ? "not given" : "unknown");
    if (!groups.has(group)) groups.set(group, new Map());
    groups.get(group).set(sex, (groups.get(group).get(sex) || 0) + screen);
  }
  return groups;
}
