// Keeps whole card numbers out of addresses, which browsers and logs remember: what somebody has typed
// or pasted is looked through before it is sent. The rules are those of consumers/typed_numbers.py, which
// takes numbers out where this does not run; a test compares the two.
"use strict";

const GAP = "[ \\t\\-\\u00a0\\u2000-\\u200b\\u202f\\u2060\\u3000\\u2010-\\u2015\\u2212\\ufe58\\ufe63\\uff0d]";
const RUN = new RegExp(`[0-9]+(?:${GAP}{1,3}[0-9]+)*`, "g");
const PHONE = new RegExp(`\\+[0-9](?:${GAP}{0,3}[0-9]){1,14}(?!${GAP}{0,3}[0-9])`, "g");
const ID = /(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])/gi;
// How numbers begin, and how many digits they have.
const NETWORKS = [
    [/^4/, [13, 16, 19]],
    [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
    [/^3[47]/, [15]],
    [/^(?:6011|64[4-9]|65|35(?:2[89]|[3-8])|62|81(?:[0-6]|7[01]))/, [16, 17, 18, 19]],
    [/^(?:30[0-5]|3095|36|3[89])/, [14, 16, 17, 18, 19]],
    [/^(?:5018|5020|5038|5893|6304|6390|67)/, [13, 14, 15, 16, 17, 18, 19]],
];

const passesLuhn = (digits) => {
    const sums = [...digits].reverse().map((digit, place) => {
        const worth = Number(digit) * (place % 2 ? 2 : 1);
        return worth > 9 ? worth - 9 : worth;
    });
    return sums.reduce((sum, one) => sum + one, 0) % 10 === 0;
};
const isCardNumber = (digits) => passesLuhn(digits)
    && NETWORKS.some(([begins, lengths]) => begins.test(digits) && lengths.includes(digits.length));

// Where the number that begins with the first of these groups ends, if there is one.
const endOfNumber = (groups) => {
    let row = "";
    for (const group of groups) {
        row += group[0];
        if (row.length > 19) return null;
        if (isCardNumber(row)) return group;
    }
    return null;
};

// The text with only the last four digits of each card number in it.
function withLastFours(text) {
    const bare = text.replace(ID, (id) => "x".repeat(id.length)).replace(PHONE, (one) => "x".repeat(one.length));
    let kept = "", done = 0;
    for (const run of bare.matchAll(RUN)) {
        const groups = [...run[0].matchAll(/[0-9]+/g)];
        for (let first = 0; first < groups.length; first += 1) {
            const last = endOfNumber(groups.slice(first));
            if (!last) continue;
            const end = run.index + last.index + last[0].length;
            kept += text.slice(done, run.index + groups[first].index) + text.slice(end - 4, end);
            done = end;
            first = groups.indexOf(last);
        }
    }
    return kept + text.slice(done);
}

// Takes card numbers out of a field, tells its person so, and says whether there was one. A search is for
// their last four; any other field is emptied.
const takeOut = (field) => {
    const kept = withLastFours(field.value);
    if (kept === field.value) return false;
    const isSearch = field.name === "q";
    field.value = isSearch ? kept.trim() : "";
    field.setCustomValidity(isSearch
        ? "Never type a whole card number. It was not sent; these are its last four digits, which find the card."
        : "That was a card number. It was not sent.");
    field.reportValidity();
    const forget = () => field.setCustomValidity("");
    for (const type of ["keydown", "input", "blur"]) field.addEventListener(type, forget, { once: true });
    return true;
};
const typedIn = (form) => [...form.elements].filter((one) => ["text", "search"].includes(one.type));

document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get" || !typedIn(form).filter(takeOut).length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
}, true);

// What a page asks for while somebody types goes on, without the number.
document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters, verb } = event.detail;
    const form = elt.form ?? elt.closest("form");
    if (verb !== "get" || !form) return;
    for (const field of typedIn(form)) {
        if (parameters[field.name] !== undefined && takeOut(field)) parameters[field.name] = field.value;
    }
});
