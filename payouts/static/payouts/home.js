// Draws the charts of the first page. Each has its table beside it, which is there without this.
"use strict";

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const shortDollars = new Intl.NumberFormat("en-US", {
    style: "currency", currency: "USD", notation: "compact", maximumFractionDigits: 1,
});
const counts = new Intl.NumberFormat("en-US");

function duration(seconds) {
    if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
    if (seconds < 60) return `${Math.round(seconds)} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86400)} days`;
}

const SAID = {
    dollars: (value) => dollars.format(value),
    percent: (value) => `${value.toFixed(1)}%`,
    seconds: duration,
    count: (value) => counts.format(value),
};
const TICKS = { ...SAID, dollars: (value) => shortDollars.format(value), percent: (value) => `${value}%` };
// A logarithmic axis of times runs from one of these to another and names them: powers of ten would
// tell nobody minutes and hours.
const DURATIONS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 300, 900, 3600, 14400, 43200, 86400, 259200, 864000];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function dataset(series, kind) {
    const own = colour(series.colour);
    const isLine = kind === "line" || kind === "log";
    return {
        label: series.label,
        data: series.values.map((value) => (value === null ? null : Number(value))),
        links: series.links,
        backgroundColor: own,
        hoverBackgroundColor: own,
        borderColor: own,
        borderWidth: isLine ? 2 : 0,
        pointRadius: isLine ? 3 : 0,
        pointHitRadius: 12,
        spanGaps: true,
    };
}

function bounds(series) {
    const values = series.flatMap((one) => one.values).filter((value) => value !== null).map(Number);
    return {
        min: DURATIONS.findLast((one) => one <= Math.min(...values)) ?? DURATIONS[0],
        max: DURATIONS.find((one) => one >= Math.max(...values)) ?? Math.max(...values),
    };
}

// A name of several words on several lines: a phone has no room for it on one.
function lines(name) {
    const mostLetters = window.innerWidth < 1024 ? 18 : 32;
    return name.split(" ").reduce((done, word) => {
        const last = done.at(-1);
        return last && `${last} ${word}`.length <= mostLetters ? [...done.slice(0, -1), `${last} ${word}`] : [...done, word];
    }, []);
}

function scales({ kind, unit, series }) {
    const text = { color: colour("--po-quiet") };
    const grid = { color: colour("--po-line") };
    const names = { grid: { display: false }, ticks: { ...text, autoSkipPadding: 12, maxRotation: 0 } };
    const values = {
        beginAtZero: kind !== "log",
        grid,
        ticks: { ...text, precision: unit === "count" ? 0 : undefined, callback: TICKS[unit] },
    };
    if (kind === "bars") return { x: values, y: { ...names, ticks: { ...text, autoSkip: false } } };
    if (kind === "log") {
        Object.assign(values, { type: "logarithmic", ...bounds(series) });
        values.afterBuildTicks = (axis) => {
            axis.ticks = DURATIONS.filter((one) => one >= axis.min && one <= axis.max)
                .map((value) => ({ value }));
        };
    }
    if (unit === "percent") Object.assign(values, { max: 100, beginAtZero: false, grace: "10%" });
    const stacked = kind === "stack";
    return { x: { ...names, stacked }, y: { ...values, stacked } };
}

function draw(canvas) {
    const told = JSON.parse(canvas.dataset.chart);
    const isLine = told.kind === "line" || told.kind === "log";
    return new Chart(canvas, {
        type: isLine ? "line" : "bar",
        data: { labels: told.kind === "bars" ? told.labels.map(lines) : told.labels, datasets: told.series.map((one) => dataset(one, told.kind)) },
        options: {
            animation: false,
            maintainAspectRatio: false,
            indexAxis: told.kind === "bars" ? "y" : "x",
            interaction: { mode: "nearest", axis: told.kind === "bars" ? "y" : "x", intersect: false },
            scales: scales(told),
            plugins: {
                legend: {
                    display: told.series.length > 1, align: "start",
                    labels: { color: colour("--po-text"), boxWidth: 12, boxHeight: 12 },
                },
                tooltip: { callbacks: {
                    label: (at) => `${at.dataset.label}: ${SAID[told.unit](at.parsed[told.kind === "bars" ? "x" : "y"])}`,
                } },
            },
            onHover: (event, found) => { event.native.target.style.cursor = found.length ? "pointer" : ""; },
            onClick: (_event, found, chart) => {
                if (found.length) location.href = chart.data.datasets[found[0].datasetIndex].links[found[0].index];
            },
        },
    });
}

const drawn = new Map();
function drawAll() {
    for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
        drawn.get(canvas)?.destroy();
        drawn.set(canvas, draw(canvas));
    }
}
document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    // The theme switches between light and dark by a class of the root.
    let wasDark = document.documentElement.classList.contains("dark");
    new MutationObserver(() => {
        const isDark = document.documentElement.classList.contains("dark");
        if (isDark !== wasDark) drawAll();
        wasDark = isDark;
    }).observe(document.documentElement, { attributeFilter: ["class"] });
});
