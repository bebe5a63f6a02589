// What the theme does for mice only, and light and dark, which it asks for only as a page loads.
"use strict";

// Light or dark follows the system, and what was chosen in another window, while a page is open.
// The theme asks anew when its own choice changes, so it is given another one for a moment.
const themeIs = (choice) => {
    const theme = Alpine.$data(document.documentElement);
    theme.adminTheme = choice === "dark" ? "light" : "dark";
    theme.adminTheme = choice;
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    const theme = Alpine.$data(document.documentElement);
    if (theme.adminTheme === "auto") themeIs("auto");
});
window.addEventListener("storage", (event) => {
    if (event.key === "adminTheme" && event.newValue) themeIs(JSON.parse(event.newValue));
});

const REACHED_BY_TAB = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
const stopsOf = (root) => [...root.querySelectorAll(REACHED_BY_TAB)].filter(
    (one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }));

// Into something that has just been told to show itself: that is done once this has been said.
window.focusFirstOf = (selector) => {
    const root = document.querySelector(selector);
    requestAnimationFrame(() => requestAnimationFrame(() => {
        const stops = stopsOf(root);
        (stops.find((one) => one.tabIndex === 0 && one.matches(":not([role=region])")) ?? stops[0])?.focus();
    }));
};

// The sheet of filters lies over the page: it says so, and until it is closed, Tab stays in it.
document.addEventListener("DOMContentLoaded", () => {
    const says = { role: "dialog", "aria-modal": "true", "aria-label": "Filters" };
    const sheet = document.querySelector("#changelist-filter");
    for (const name in says) sheet?.setAttribute(name, says[name]);
});
document.addEventListener("keydown", (event) => {
    const sheet = event.key === "Tab" && document.activeElement.closest("#changelist-filter");
    if (!sheet) return;
    const stops = stopsOf(sheet);
    const [edge, other] = event.shiftKey ? [stops.at(0), stops.at(-1)] : [stops.at(-1), stops.at(0)];
    if (document.activeElement !== edge) return;
    event.preventDefault();
    other.focus();
});

// What Ctrl+K opens closes on Escape from anywhere in it, and behind a focus that goes elsewhere; the
// focus comes back from it.
let cameFrom = null;
const palette = () => {
    const root = document.querySelector('[x-data="searchCommand()"]');
    return root && window.Alpine ? { root, state: Alpine.$data(root) } : null;
};
document.addEventListener("keydown", (event) => {
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) cameFrom = document.activeElement;
    if (event.key !== "Escape" || !palette()?.root.contains(document.activeElement)) return;
    const { state } = palette();
    if (!document.activeElement.matches("input")) state.handleOutsideClick();
    if (!state.openCommandResults) cameFrom?.focus();
});
document.addEventListener("focusin", (event) => {
    const open = palette();
    if (open?.state.openCommandResults && !open.root.contains(event.target)) open.state.handleOutsideClick();
});

// A part of a page that is updated by itself leaves whoever stands in it where they are, and what
// they had opened open.
const ALIKE_BY = ["id", "name", "value", "href"];
const alike = (one) => [...document.querySelectorAll(one.localName)].filter((other) =>
    ALIKE_BY.every((part) => other[part] === one[part])
    && (one.href || other.textContent === one.textContent));
const placeOf = (one) => ({ one, at: alike(one).indexOf(one) });
const nowAt = ({ one, at }) => (one.isConnected ? one : alike(one)[at] ?? alike(one)[0]);
let stood = null;
let opened = [];
document.addEventListener("htmx:beforeSwap", () => {
    const here = document.activeElement;
    stood = here === document.body ? null : placeOf(here);
    opened = [...document.querySelectorAll("details[open] > summary")].map(placeOf);
});
document.addEventListener("htmx:afterSettle", () => {
    for (const place of opened) {
        const summary = nowAt(place);
        if (summary && !place.one.isConnected) summary.parentElement.open = true;
    }
    if (stood && !stood.one.isConnected && document.activeElement === document.body) {
        nowAt(stood)?.focus({ preventScroll: true });
    }
});
