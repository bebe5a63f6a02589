// Walks through a page as the Tab key does, and remembers what stood in the way. Whoever presses the
// keys is tests/browser/keyboard.py; all that is measured is measured in here, as each key goes down.
(() => {
    "use strict";

    const CAN_BE_STOPS = "a[href], area[href], button, input, select, textarea, summary, iframe, " +
        "audio[controls], video[controls], [contenteditable], [tabindex]";
    // Tab walks through the fields inside of these before it goes on.
    const SEVERAL_INSIDE = new Set(["date", "datetime-local", "month", "time", "week"]);
    const MOST_INSIDE = 12;
    // What WCAG asks of a sign against what is beside it (1.4.11).
    const LEAST_CONTRAST = 3;

    let walk;

    const shown = (one) => one.checkVisibility({ visibilityProperty: true });
    const name = (one) => one.cloneNode(false).outerHTML.replace(/ (class|style|x-[\w:.-]+)="[^"]*"/g, "").slice(0, 140)
        + one.textContent.trim().replace(/\s+/g, " ").slice(0, 30);

    function isStop(one) {
        if (one.matches(":disabled, [type=hidden], [data-walk]") || one.closest("[inert]")) return false;
        if (one.localName === "summary" && one.parentElement.querySelector("summary") !== one) return false;
        return one.tabIndex >= 0 && shown(one);
    }

    const stopsWithin = (root) => [...root.querySelectorAll(CAN_BE_STOPS)].filter(isStop);
    const isRadio = (one) => one.type === "radio" && one.name;
    const group = (one) => [...document.getElementsByName(one.name)].filter((other) => other.form === one.form);

    // Of radio buttons that belong together one is a stop: the chosen one, or any if none is.
    function reached(one) {
        if (walk.seen.has(one)) return true;
        if (!isRadio(one)) return [...walk.seen].some((other) => !other.isConnected && name(other) === name(one));
        const together = group(one);
        return together.some((other) => walk.seen.has(other) && (other.checked || !together.some((any) => any.checked)));
    }

    // Colours

    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const mixed = new Map();
    function mix(colors) {
        const key = colors.join("|");
        if (!mixed.has(key)) {
            pixel.fillStyle = "#fff";
            pixel.fillRect(0, 0, 1, 1);
            for (const color of colors) {
                pixel.fillStyle = color;
                pixel.fillRect(0, 0, 1, 1);
            }
            mixed.set(key, [...pixel.getImageData(0, 0, 1, 1).data]);
        }
        return mixed.get(key);
    }
    function behind(one) {
        const colors = [];
        for (let at = one; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (color !== "rgba(0, 0, 0, 0)") colors.unshift(color);
        }
        return colors;
    }
    const light = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => {
        const part = rgb[at] / 255;
        return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    }, 0);
    function contrast(one, other) {
        const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
    }

    // The sign of the focus

    const PARTS = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor", "backgroundColor"];
    function look(one) {
        const style = getComputedStyle(one);
        return Object.fromEntries(PARTS.map((part) => [part, style[part]]));
    }

    function ring(one) {
        const style = getComputedStyle(one);
        if (style.outlineStyle === "none" || !parseFloat(style.outlineWidth)) return null;
        const offset = parseFloat(style.outlineOffset);
        return { auto: style.outlineStyle === "auto", color: style.outlineColor, offset, width: parseFloat(style.outlineWidth) };
    }

    function unseen(one, before) {
        const now = look(one);
        const drawn = ring(one);
        const isNew = drawn && PARTS.slice(0, 3).some((part) => now[part] !== before[part]);
        if (isNew) {
            if (!sidesOf(one, drawn)) return "its ring is cut off";
            if (drawn.auto) return "";
            const around = behind(drawn.offset < 0 ? one : groundOf(one, drawn));
            const found = contrast(mix([...around, drawn.color]), mix(around));
            return found < LEAST_CONTRAST ? `its ring has a contrast of ${found.toFixed(1)}` : "";
        }
        if (now.boxShadow !== before.boxShadow && now.boxShadow !== "none") return "";
        const under = behind(one.parentElement);
        const changed = [["borderColor"], ["backgroundColor"]].some(([part]) =>
            contrast(mix([...under, now[part].split(") ")[0]]), mix([...under, before[part].split(") ")[0]])) >= LEAST_CONTRAST);
        return changed ? "" : "it looks as it does without the focus";
    }

    // On what a ring is drawn that lies around something: not on a parent that ends where it ends.
    function groundOf(one, drawn) {
        const box = one.getBoundingClientRect();
        let at = one.parentElement;
        for (; at.parentElement; at = at.parentElement) {
            const ground = at.getBoundingClientRect();
            if (ground.top <= box.top - drawn.width && ground.left <= box.left - drawn.width
                && ground.bottom >= box.bottom + drawn.width && ground.right >= box.right + drawn.width) break;
        }
        return at;
    }

    // How much of a ring is left by what cuts off: two sides of four tell where one is.
    function sidesOf(one, drawn) {
        const box = one.getClientRects()[0];
        if (!box) return false;
        const grown = Math.max(0, drawn.offset) + (drawn.offset < 0 ? 0 : drawn.width) - 0.5;
        const sides = [box.top - grown, box.left - grown, box.bottom + grown, box.right + grown];
        let window_ = [0, 0, innerHeight, innerWidth];
        for (let at = one.parentElement; at && at !== document.body; at = at.parentElement) {
            const style = getComputedStyle(at);
            if (style.overflowX === "visible" && style.overflowY === "visible") continue;
            const cut = at.getBoundingClientRect();
            window_ = [Math.max(window_[0], cut.top), Math.max(window_[1], cut.left), Math.min(window_[2], cut.bottom), Math.min(window_[3], cut.right)];
        }
        const left = [sides[0] >= window_[0], sides[1] >= window_[1], sides[2] <= window_[2], sides[3] <= window_[3]];
        return left.filter(Boolean).length >= 2;
    }

    // Whether it can be seen

    function covered(one) {
        const box = one.getClientRects()[0];
        if (!box || box.width < 1 || box.height < 1) return "it has no size";
        const [top, left] = [Math.max(box.top, 0), Math.max(box.left, 0)];
        const [bottom, right] = [Math.min(box.bottom, innerHeight), Math.min(box.right, innerWidth)];
        if (bottom - top < 1 || right - left < 1) return "it is outside of the window";
        if (bottom - top < Math.min(box.height, innerHeight) / 2) return "most of it is outside of the window";
        const points = [[.5, .5], [.1, .2], [.9, .2], [.1, .8], [.9, .8]].map(([x, y]) =>
            document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y));
        const hits = points.filter((hit) => hit && (one.contains(hit) || hit.closest("label")?.control === one));
        if (hits.length >= 3) return "";
        return `it is covered by ${name(points.find((hit) => !hits.includes(hit)) ?? document.body)}`;
    }

    // The walk

    const complain = (one, words) => { walk.found.add(`${name(one)}: ${words}`); };

    function arrive(one) {
        walk.seen.add(one);
        const before = walk.before.get(one) ?? withoutFocus(one);
        for (const words of [covered(one), unseen(one, before)]) if (words) complain(one, words);
        if (!walk.backwards && one.localName === "summary") openUp(one);
    }

    function withoutFocus(one) {
        one.blur();
        const before = look(one);
        one.focus();
        return before;
    }

    function openUp(summary) {
        const details = summary.parentElement;
        if (details.open) return;
        details.open = true;
        remember(stopsWithin(details));
    }

    function remember(stops) {
        for (const one of stops) {
            walk.expected.add(one);
            if (!walk.before.has(one)) walk.before.set(one, look(one));
        }
    }

    function leave(event) {
        if (event.key !== "Tab" || !walk) return;
        const here = document.activeElement;
        if (walk.ended || here === walk.to) {
            walk.ended = true;
            event.preventDefault();
            return;
        }
        if (here === walk.from) return;
        walk.again = here === walk.last ? walk.again + 1 : 0;
        if (walk.again) {
            const allowed = SEVERAL_INSIDE.has(here.type) ? MOST_INSIDE : 0;
            if (walk.again <= allowed) return;
            complain(here, here === document.body ? "the focus was lost" : "Tab does not leave it");
            walk.ended = true;
            return;
        }
        if (here !== document.body) {
            if (walk.seen.has(here)) complain(here, "it is a stop twice");
            arrive(here);
        }
        walk.last = here;
    }

    function marker(place) {
        const one = document.createElement("span");
        Object.assign(one, { tabIndex: 0 });
        one.dataset.walk = "";
        one.style.cssText = "position:fixed;bottom:0;left:0;width:1px;height:1px;opacity:0";
        place(one);
        return one;
    }

    // What is done by a click and is no stop itself, nor in one, nor has one inside that does the same.
    function forMiceOnly(root) {
        return [...root.querySelectorAll("*")].filter((one) =>
            (getComputedStyle(one).cursor === "pointer" || one.hasAttribute("x-on:click") || one.hasAttribute("onclick"))
            && shown(one)
            && !one.closest("label, summary")
            && !one.querySelector(CAN_BE_STOPS)
            && !isWithinStop(one));
    }
    function isWithinStop(one) {
        for (let at = one; at; at = at.parentElement) {
            if (at.matches(CAN_BE_STOPS) && (isStop(at) || isRadio(at) || at.matches(":disabled"))) return true;
            // A row that is clicked does what the one control in it does.
            if (at.matches(".po-row") && at.querySelector("input")) return true;
        }
        return false;
    }

    function begin({ root, backwards }) {
        const within = document.querySelector(root) ?? document.body;
        for (const one of document.querySelectorAll("[data-walk]")) one.remove();
        const first = marker((one) => within.prepend(one));
        const last = marker((one) => document.body.append(one));
        const [from, to] = backwards ? [last, first] : [first, last];
        const still = new CSSStyleSheet();
        still.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important; scroll-behavior: auto !important }");
        document.adoptedStyleSheets = [still];
        for (const panel of document.querySelectorAll("details[data-closes]")) panel.open = false;
        from.focus();
        walk = { from, to, backwards, seen: new Set(), expected: new Set(), before: new Map(), found: new Set(), again: 0 };
        remember(stopsWithin(within));
        for (const one of walk.expected) if (one.tabIndex > 0) complain(one, "it pushes itself to the front");
        for (const one of forMiceOnly(within)) complain(one, "only a mouse can use it");
        return walk.expected.size;
    }

    function found() {
        for (const one of walk.expected) {
            if (one.isConnected && isStop(one) && !reached(one)) complain(one, "Tab does not reach it");
        }
        if (!walk.ended) walk.found.add("the walk did not come to its end");
        const said = [...walk.found];
        walk = null;
        return said;
    }

    window.addEventListener("keydown", leave, true);
    window.keyboardWalk = { begin, found, ended: () => walk.ended ?? false };
})();
