"use strict";
const details = JSON.parse(document.getElementById("details").textContent);
const rows = [...document.querySelectorAll("#rows .row")];
const panel = document.getElementById("panel");
const page = document.body;
let chosen = -1;

function add(parent, tag, text, name) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  parent.append(element);
  return element;
}

function dump(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 16) {
    const bytes = hex.slice(at, at + 16).match(/../g);
    const text = bytes.map((byte) => {
      const code = parseInt(byte, 16);
      return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
    });
    const offset = (at / 2).toString(16).padStart(4, "0");
    lines.push(offset + "  " + bytes.join(" ").padEnd(23) + "  " + text.join(""));
  }
  return lines.join("\n");
}

function choose(number, scroll) {
  if (!rows[number]) return;
  if (rows[chosen]) rows[chosen].classList.remove("chosen");
  chosen = number;
  const row = rows[number];
  row.classList.add("chosen");
  if (scroll) row.scrollIntoView({ block: "center" });
  const detail = details[number];
  panel.textContent = "";
  add(panel, "h2", detail.meaning || detail.kind);
  const list = add(panel, "dl", "");
  const facts = [["time", detail.at.toFixed(6) + " s"], ["way", detail.who], ["kind", detail.kind],
    ["exchange", detail.exchange], ["bytes", detail.length]];
  for (const [name, value] of facts) {
    if (value === undefined || value === null) continue;
    add(list, "dt", name);
    add(list, "dd", value);
  }
  add(panel, "pre", detail.text, "text");
  if (detail.explained) add(panel, "pre", detail.explained, "explained");
  if (detail.hex) add(panel, "pre", dump(detail.hex));
  if (detail.hex && detail.hex.length / 2 < detail.length) add(panel, "p", "The rest is in the capture.", "hint");
}

rows.forEach((row, number) => row.addEventListener("click", () => choose(number, false)));
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT") return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  choose(Math.min(rows.length - 1, Math.max(0, chosen + step)), true);
});

const filter = document.getElementById("filter");
const count = document.getElementById("count");
filter.addEventListener("input", () => {
  const wanted = filter.value.toLowerCase();
  let matches = 0;
  let first = -1;
  rows.forEach((row, number) => {
    const text = details[number].text + "\n" + (details[number].meaning || "");
    const match = wanted !== "" && text.toLowerCase().includes(wanted);
    row.classList.toggle("match", match);
    if (match && matches++ === 0) first = number;
  });
  page.classList.toggle("filtered", wanted !== "");
  count.textContent = wanted === "" ? "" : matches + " of " + rows.length;
  if (first >= 0) rows[first].scrollIntoView({ block: "center" });
});

const bad = document.getElementById("bad");
if (bad) bad.addEventListener("click", () => {
  const failed = rows.map((row, number) => number).filter((number) => rows[number].classList.contains("bad"));
  choose(failed.find((number) => number > chosen) ?? failed[0], true);
});

document.getElementById("theme").addEventListener("click", () => {
  const dark = page.classList.contains("dark")
    || (!page.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  page.classList.toggle("dark", !dark);
  page.classList.toggle("light", dark);
});
