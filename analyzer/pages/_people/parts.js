"use strict";
// Small pieces of the page. All text goes in as text: names may hold anything.

const $ = (id) => document.getElementById(id);

/** An element; properties that begin with "on" are listeners, false ones are left out. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const number = (n) => n.toLocaleString("en");

function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** Seconds as 0:42, 12:05, 1:02:03. */
function clock(seconds) {
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${number(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(s % 60)}`;
}

const EPOCH = 719163; // 1970-01-01 as a day of the archive

function date(day) {
  return day ? new Date((day - EPOCH) * 86400000).toISOString().slice(0, 10) : "";
}

/** First and last date as one text; equal ones once. */
function span(first, last) {
  return !last || first === last ? first || "" : `${first} – ${last}`;
}

/** Text without capitals and accents, to search in. */
function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** A picture of somebody, or what stands in its place. */
function portrait(jpeg, className = "portrait") {
  if (!jpeg) return h("span", { class: `${className} none`, "aria-hidden": "true" });
  return h("img", { class: className, alt: "", decoding: "async", src: `data:image/jpeg;base64,${jpeg}` });
}

const kbd = (text) => h("kbd", {}, text);
