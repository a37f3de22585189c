// Where the page has its people from: a server that it asks, or the file itself.

const TOKEN = "operator's token"; // as the dashboard keeps it: one token opens both

const LINES = 1000; // of the history

class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** A server; what is said there is written. */
class LiveSource {
  constructor() {
    this.writes = true;
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given) {
      sessionStorage.setItem(TOKEN, given);
      history.replaceState(null, "", location.pathname); // it stays in no list of pages seen
    }
  }

  async ask(path, body) {
    const token = sessionStorage.getItem(TOKEN) || "";
    const headers = token ? { Authorization: `Bearer ${token.replace(/[^\x21-\x7e]/g, "?")}` } : {};
    const options = { headers, cache: "no-store", credentials: "omit" };
    if (body) {
      headers["Content-Type"] = "application/json";
      Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    }
    let answer;
    try {
      answer = await fetch(`/people/${path}`, options);
    } catch {
      throw new Refusal("The program does not answer: has it ended?", 0);
    }
    const plain = await answer.json();
    if (!answer.ok) throw new Refusal(plain.error, answer.status);
    return plain;
  }

  everybody() { return this.ask("everybody"); }
  at() { return this.ask("at"); }
  person(id, limit) { return this.ask(`person?id=${id}${limit ? `&limit=${limit}` : ""}`); }
  portraits(ids) { return this.ask(`portraits?of=${ids.join(",")}`); }
  pictures(places) { return this.ask(`pictures?of=${places.join(",")}`); }
  history() { return this.ask(`history?limit=${LINES}`); }
  say(what, values) { return this.ask(what, values); }
}

/** The file; it is for reading. */
class FileSource {
  constructor(facts) {
    this.writes = false;
    this.facts = facts;
  }

  async everybody() { return this.facts.everybody; }
  async person(id) { return this.facts.persons[id] || null; }
  async portraits(ids) { return Object.fromEntries(ids.map((id) => [id, this.facts.portraits[id] || ""])); }
  async pictures() { return {}; }
  async history() { return this.facts.history; }
}
