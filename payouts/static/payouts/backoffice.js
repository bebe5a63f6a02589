// What the pages of the back office do by themselves. Each of them works without this, only less well.
"use strict";

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

// The theme hides the page until its own script has begun, and browsers focus nothing that is hidden.
const first = document.querySelector("[autofocus]");
if (first) {
    first.focus();
    document.addEventListener("alpine:initialized", () => first.focus());
}

// One send: the second click of a hand that is faster than the network goes nowhere.
document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) {
        event.preventDefault();
        return;
    }
    form.dataset.sent = "yes";
    const button = form.querySelector("[data-busy]");
    button.dataset.words = button.textContent;
    // It keeps its size: nothing else may slide under the second click.
    button.style.minWidth = `${button.offsetWidth}px`;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
});

// The address follows what is typed, so that Back, a reload and a sign-in in the middle find it again.
// A text with so many digits that it could hold a card number stays out of it.
const kept = document.querySelector("[data-kept-in-address]");
if (kept) {
    const couldBeCardNumber = /[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){12}/;
    const isTyped = (name) => ["text", "textarea"].includes(kept.elements[name]?.type);
    const keep = () => {
        const query = new URLSearchParams();
        for (const [name, value] of new FormData(kept)) {
            if (name === "csrfmiddlewaretoken" || !value) continue;
            if (isTyped(name) && couldBeCardNumber.test(value)) continue;
            query.append(name, value);
        }
        history.replaceState(history.state, "", `${kept.dataset.keptInAddress}?${query}`);
    };
    for (const type of ["change", "submit", "htmx:beforeRequest"]) kept.addEventListener(type, keep);
}

// Somebody who comes back finds the page as it was left, and may send it again: it counts once.
window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("[data-once]")) {
        delete form.dataset.sent;
        const button = form.querySelector("[data-busy]");
        if (button.dataset.words) button.textContent = button.dataset.words;
        button.removeAttribute("aria-disabled");
    }
});

// Down and up walk from a search field into what it has found, and back.
document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const field = document.querySelector("[data-arrows-into]");
    if (!field) return;
    const stops = [field, ...document.querySelectorAll(`#${field.dataset.arrowsInto} a`)];
    const here = stops.indexOf(document.activeElement);
    const next = stops[here + (event.key === "ArrowDown" ? 1 : -1)];
    if (here === -1 || !next) return;
    event.preventDefault();
    next.focus();
});

document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-submit-on-change]");
    if (form) form.submit();
});

// What is chosen, summed up while it is being chosen.
for (const form of document.querySelectorAll("[data-selection]")) {
    const boxes = [...form.querySelectorAll("[data-cents]")];
    const all = form.querySelector("[data-select-all]");
    const says = form.querySelector("[data-chosen]");
    if (!says || !boxes.length) continue;
    const nothing = says.textContent;
    const sumUp = () => {
        const chosen = boxes.filter((box) => box.checked);
        const cents = chosen.map((box) => Number(box.dataset.cents));
        const firstTime = new Set(chosen.map((box) => box.dataset.firstTime).filter(Boolean)).size;
        const total = cents.reduce((sum, one) => sum + one, 0);
        all.checked = chosen.length === boxes.length;
        all.indeterminate = chosen.length > 0 && !all.checked;
        says.textContent = !chosen.length ? nothing : [
            `${chosen.length} chosen`,
            `${dollars.format(total / 100)} in all`,
            `largest ${dollars.format(Math.max(...cents) / 100)}`,
            `${firstTime} to first-time cards`,
        ].join(" · ");
    };
    for (const hidden of form.querySelectorAll("[data-needs-script]")) hidden.hidden = false;
    all.addEventListener("change", () => {
        for (const box of boxes) box.checked = all.checked;
    });
    form.addEventListener("mousedown", (event) => {
        if (event.shiftKey && event.target.closest(".po-row")) event.preventDefault();
    });
    // The whole row chooses, and Shift chooses all rows from the last one to this.
    let last = null;
    form.addEventListener("click", (event) => {
        const box = event.target.closest(".po-row")?.querySelector("[data-cents]");
        const meansSomethingElse = event.target.closest("a, button, summary, label, time");
        if (!box || meansSomethingElse) return;
        // Whoever marks a text to copy it chooses nothing.
        if (event.target !== box && !event.shiftKey && String(getSelection())) return;
        if (event.target !== box) box.checked = !box.checked;
        if (event.shiftKey && last) {
            const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
            for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
        }
        last = box;
        sumUp();
    });
    form.addEventListener("change", sumUp);
    sumUp();
}

// After an update of a push: buttons in the header that would be refused now go away.
document.addEventListener("htmx:afterSwap", () => {
    const push = document.querySelector("#push[data-verbs]");
    if (!push) return;
    const verbs = push.dataset.verbs.split(" ");
    for (const verb of ["approve", "reject", "cancel"]) {
        if (verbs.includes(verb)) continue;
        document.querySelector(`#header-inner a[href$="/${verb}/"]`)?.closest("li").remove();
    }
});

// One panel at a time; Escape, a click beside it and a focus that goes elsewhere close it.
const panels = () => document.querySelectorAll("details[data-closes][open]");
for (const type of ["click", "focusin"]) {
    document.addEventListener(type, (event) => {
        for (const panel of panels()) if (!panel.contains(event.target)) panel.open = false;
    });
}
document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const panel of panels()) {
        panel.open = false;
        panel.querySelector("summary").focus();
    }
});
