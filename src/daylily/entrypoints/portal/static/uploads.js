// Uploads that go on after a break, even after the page was loaded again: what is under way is noted
// in the browser, and a file of the same name, size and date goes on where it stopped.
const PIECE = 8 << 20;
const AT_ONCE = 2;
const TRIES = 6;

const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

class RefusedError extends Error {}

// One request with its progress: fetch tells none of what it sends.
function send(method, url, body, headers, { progress = () => {}, signal } = {}) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => done(request);
    request.onerror = () => failed(new TypeError("the connection broke"));
    request.onabort = () => failed(new DOMException("stopped", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    if (signal?.aborted) failed(new DOMException("stopped", "AbortError"));
    else request.send(body);
  });
}

function answered(request) {
  if (request.status < 300) return request.responseText ? JSON.parse(request.responseText) : {};
  let told = `status ${request.status}`;
  try {
    const problem = JSON.parse(request.responseText);
    told = problem.faults?.map((fault) => fault.message).join("; ") || problem.detail || told;
  } catch { /* no problem document: its status has to do */ }
  if (request.status === 401) told = "you are signed out: sign in again in another tab, and press Go on";
  const again = request.status >= 500 || [408, 409, 429].includes(request.status);
  throw again ? new Error(told) : Object.assign(new RefusedError(told), { status: request.status });
}

export class Uploads {
  constructor({ customer, csrf, list, changed }) {
    this.base = `/portal/api/customers/${encodeURIComponent(customer)}`;
    this.headers = { "X-CSRF-Token": csrf };
    this.list = list;
    this.changed = changed;
    this.all = new Map();
    this.running = 0;
  }

  // Each upload is { key, file, sent, state, error }; its state is waiting, going, done, failed or stopped.
  add(file, key) {
    const known = this.all.get(key);
    const same = known?.file.size === file.size && known?.file.lastModified === file.lastModified;
    if (same && ["waiting", "going", "done"].includes(known.state)) return;
    known?.stop?.abort();
    const upload = { key, file, sent: 0, state: "waiting", error: "" };
    this.all.set(key, upload);
    this.draw(upload, known?.row);
    this.next();
  }

  get arriving() {
    return [...this.all.values()].filter((each) => ["waiting", "going"].includes(each.state)).map((each) => each.key);
  }

  get failed() {
    return [...this.all.values()].filter((each) => each.state === "failed");
  }

  next() {
    for (const upload of this.all.values()) {
      if (this.running >= AT_ONCE) return;
      if (upload.state === "waiting") this.run(upload);
    }
  }

  async run(upload) {
    this.running += 1;
    upload.state = "going";
    upload.stop = new AbortController();
    this.show(upload);
    try {
      if (!upload.file.size) throw new RefusedError("is empty: choose another");
      await this.patiently(upload);
      upload.state = "done";
      localStorage.removeItem(this.mark(upload));
    } catch (error) {
      upload.state = error.name === "AbortError" ? "stopped" : "failed";
      upload.error = error.message;
    }
    this.running -= 1;
    this.show(upload);
    this.changed(upload);
    this.next();
  }

  async patiently(upload) {
    for (let tried = 1; ; tried += 1) {
      const before = upload.sent;
      try {
        return await this.once(upload);
      } catch (error) {
        if (error.name === "AbortError" || error instanceof RefusedError) throw error;
        if (upload.sent > before) tried = 1;
        if (tried >= TRIES) throw error;
        upload.error = `${error.message}; going on in a moment`;
        this.show(upload);
        await wait(Math.min(500 * 2 ** tried, 15000));
        if (upload.stop.signal.aborted) throw new DOMException("stopped", "AbortError");
        upload.error = "";
      }
    }
  }

  async once(upload) {
    const begun = await this.begun(upload);
    if (begun.part_size === null || begun.part_size === undefined) await this.append(upload, begun);
    else if (!(await this.inParts(upload, begun))) return this.whole(upload);
    const parts = begun.part_size ? JSON.stringify({ parts: this.noted(upload).parts }) : "";
    const type = parts ? { "Content-Type": "application/json" } : {};
    return answered(await send("POST", `${this.url(begun)}/complete`, parts, { ...this.headers, ...type }));
  }

  async begun(upload) {
    const noted = this.noted(upload);
    if (noted) {
      try {
        const told = answered(await send("GET", `${this.base}/uploads/${noted.id}`, null, {}));
        this.rename(upload, told.key);
        return told;
      } catch (error) {
        if (error.status !== 404) throw error;
        localStorage.removeItem(this.mark(upload));
      }
    }
    const asked = JSON.stringify({ key: upload.key, size: upload.file.size });
    const headers = { ...this.headers, "Content-Type": "application/json" };
    const begun = answered(await send("POST", `${this.base}/uploads`, asked, headers));
    this.notes(upload, { id: begun.upload_id, parts: [] });
    return begun;
  }

  // What was begun on an earlier page goes where that page has put it.
  rename(upload, key) {
    if (upload.key === key) return;
    this.all.delete(upload.key);
    upload.key = key;
    this.all.set(key, upload);
    this.changed(upload);
  }

  async append(upload, begun) {
    upload.sent = begun.offset;
    while (upload.sent < upload.file.size) {
      const start = upload.sent;
      const piece = upload.file.slice(start, start + PIECE);
      const headers = { ...this.headers, "Content-Type": "application/octet-stream", "Upload-Offset": String(start) };
      const told = answered(await send("PATCH", this.url(begun), piece, headers, this.watching(upload, start)));
      upload.sent = told.offset;
      this.show(upload);
    }
  }

  // Straight to the store; false where it does not take that from a page, and all goes through our server.
  async inParts(upload, begun) {
    const { parts } = this.noted(upload);
    const there = new Set(parts.map((part) => part.number));
    upload.sent = Math.min(there.size * begun.part_size, upload.file.size);
    let known = begun;
    for (let number = 1; (number - 1) * begun.part_size < upload.file.size; number += 1) {
      if (there.has(number)) continue;
      let part = known.parts.find((each) => each.number === number);
      if (!part) {
        known = answered(await send("GET", `${this.url(begun)}?first=${number}`, null, {}));
        part = known.parts.find((each) => each.number === number);
      }
      const piece = upload.file.slice(part.start, part.stop);
      let request;
      try {
        request = await send("PUT", part.url, piece, {}, this.watching(upload, part.start));
      } catch (error) {
        if (error instanceof TypeError && navigator.onLine && !parts.length) return false;
        throw error;
      }
      if (request.status >= 300) throw new Error(`the store answered ${request.status}`);
      const etag = request.getResponseHeader("ETag");
      if (!etag) return false;
      parts.push({ number, etag });
      this.notes(upload, { id: begun.upload_id, parts });
      upload.sent = part.stop;
      this.show(upload);
    }
    return true;
  }

  async whole(upload) {
    const noted = this.noted(upload);
    localStorage.removeItem(this.mark(upload));
    await send("DELETE", `${this.base}/uploads/${noted.id}`, null, this.headers);
    const path = upload.key.split("/").map(encodeURIComponent).join("/");
    const headers = { ...this.headers, "Content-Type": "application/octet-stream" };
    return answered(await send("PUT", `${this.base}/files/${path}`, upload.file, headers, this.watching(upload, 0)));
  }

  watching(upload, start) {
    return {
      signal: upload.stop.signal,
      progress: (loaded) => { upload.shown = Math.min(start + loaded, upload.file.size); this.show(upload); },
    };
  }

  url(begun) {
    return `${this.base}/uploads/${begun.upload_id}`;
  }

  mark({ key, file }) {
    return `daylily-upload ${this.base} ${key.split("/").pop()} ${file.size} ${file.lastModified}`;
  }

  noted(upload) {
    return JSON.parse(localStorage.getItem(this.mark(upload)) ?? "null");
  }

  notes(upload, what) {
    localStorage.setItem(this.mark(upload), JSON.stringify(what));
  }

  draw(upload, row) {
    const bar = document.createElement("progress");
    const name = document.createElement("bdi");
    const said = document.createElement("span");
    const button = document.createElement("button");
    name.textContent = upload.key.split("/").pop();
    said.className = "soft";
    button.type = "button";
    button.className = "plain";
    button.addEventListener("click", () => this.press(upload));
    bar.setAttribute("aria-label", `Upload of ${name.textContent}`);
    upload.row = document.createElement("li");
    upload.row.append(name, bar, said, button);
    Object.assign(upload, { bar, said, button });
    if (row) row.replaceWith(upload.row);
    else this.list.append(upload.row);
    this.show(upload);
  }

  press(upload) {
    if (upload.state === "going") upload.stop.abort();
    else {
      upload.state = "waiting";
      upload.error = "";
      this.show(upload);
      this.next();
      this.changed(upload);
    }
  }

  show(upload) {
    const { bar, said, button, state } = upload;
    bar.max = upload.file.size || 1;
    bar.value = state === "done" ? bar.max : Math.max(upload.sent, upload.shown ?? 0);
    upload.row.dataset.state = state;
    const share = Math.floor((100 * bar.value) / bar.max);
    const words = {
      waiting: "waits for its turn", going: `${share} %`, done: "is there", stopped: `stopped at ${share} %`,
      failed: upload.error,
    };
    said.textContent = state === "going" && upload.error ? upload.error : words[state];
    said.classList.toggle("fault", state === "failed");
    button.hidden = !["going", "stopped", "failed"].includes(state);
    button.textContent = state === "going" ? "Stop" : "Go on";
    button.setAttribute("aria-label", `${button.textContent}: upload of ${upload.key.split("/").pop()}`);
  }
}

// Files may be dropped anywhere on the page; the zone only shows that they can be.
export function dropping(zone, take) {
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    zone.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}
