"use strict";
(function () {
  const table = document.getElementById("scan-table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headings = Array.from(table.querySelectorAll("th[data-sort]"));
  const count = document.getElementById("count");
  const filters = document.getElementById("filters");
  const text = document.getElementById("filter-text");
  const state = document.getElementById("filter-state");
  const flags = document.getElementById("filter-flags");
  const inWords = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function key(row, column) {
    return row.cells[column].dataset.key;
  }

  // rows without a value stay last in either direction
  function sortBy(column) {
    const heading = headings[column];
    const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const numbers = heading.dataset.sort === "number";
    const ordered = rows.slice().sort(function (one, other) {
      const a = key(one, column);
      const b = key(other, column);
      if (a === "" || b === "") {
        return (a === "") - (b === "");
      }
      return direction * (numbers ? Number(a) - Number(b) : inWords.compare(a, b));
    });
    headings.forEach(function (other) { other.removeAttribute("aria-sort"); });
    heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    body.append.apply(body, ordered);
  }

  function fits(row) {
    const worst = row.dataset.flags;
    const wanted = flags.value;
    const severe = wanted === "" || worst === wanted || (wanted === "warning" && worst === "failure");
    const words = text.value.trim().toLowerCase();
    return severe && (state.value === "" || row.dataset.state === state.value)
      && (words === "" || row.textContent.toLowerCase().includes(words));
  }

  function filter() {
    let visible = 0;
    rows.forEach(function (row) {
      row.hidden = !fits(row);
      visible += row.hidden ? 0 : 1;
    });
    count.textContent = visible === rows.length ? "" : visible + " of " + rows.length + " scans shown";
  }

  headings.forEach(function (heading, column) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", function () { sortBy(column); });
  });
  filters.hidden = false;
  text.addEventListener("input", filter);
  state.addEventListener("change", filter);
  flags.addEventListener("change", filter);
  // a browser that goes back fills the fields in again
  window.addEventListener("pageshow", filter);
})();
