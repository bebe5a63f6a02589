// Talks to passkeys. A form with data-passkey asks the device first and sends its answer along.
"use strict";

const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// Browsers give no passkeys to numbers: 127.0.0.1 is no name that a key could be bound to.
const isNamed = !/^[0-9.]+$|^\[/.test(location.hostname);
const hasPasskeys = isNamed && Boolean(window.PublicKeyCredential);

function withBytes(options) {
    const key = options.publicKey;
    key.challenge = toBytes(key.challenge);
    if (key.user) key.user.id = toBytes(key.user.id);
    for (const list of ["allowCredentials", "excludeCredentials"]) {
        if (key[list]) key[list] = key[list].map((one) => ({ ...one, id: toBytes(one.id) }));
    }
    return options;
}

function asText(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
        if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    return JSON.stringify({
        id: credential.id,
        rawId: toText(credential.rawId),
        type: credential.type,
        response,
        clientExtensionResults: credential.getClientExtensionResults(),
        authenticatorAttachment: credential.authenticatorAttachment,
    });
}

async function optionsOf(form) {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("The server did not answer.");
    return (await answer.json()).request_options;
}

const WHY = {
    NotAllowedError: "Nothing was confirmed: it was canceled, took too long, or this device has no passkey for you here. Try again, or use a device that has it.",
    InvalidStateError: "This device has a passkey for you already.",
    SecurityError: "Passkeys do not work at this address.",
};

for (const form of document.querySelectorAll("[data-passkey]")) {
    if (!hasPasskeys && form.dataset.passkey === "get" && !form.hasAttribute("data-required")) continue;
    form.hidden = false;
    const problem = form.querySelector("[data-passkey-problem]");
    if (!hasPasskeys) {
        problem.textContent = isNamed
            ? "This browser has no passkeys. Use another one."
            : `Passkeys need a name in the address, not a number: open http://localhost:${location.port || 80}${location.pathname}.`;
        form.querySelector("button[type=submit]").disabled = true;
        continue;
    }
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector("button[type=submit]");
        if (button.disabled) return;
        button.disabled = true;
        problem.textContent = "";
        try {
            const options = withBytes(await optionsOf(form));
            const credential = await navigator.credentials[form.dataset.passkey](options);
            form.elements[form.dataset.field || "credential"].value = asText(credential);
            form.submit();
        } catch (error) {
            problem.textContent = WHY[error.name] || `That did not work (${error.message}).`;
            button.disabled = false;
        }
    });
}

if (!hasPasskeys) {
    for (const link of document.querySelectorAll("[data-needs-passkeys]")) {
        link.removeAttribute("href");
        link.setAttribute("aria-disabled", "true");
        link.querySelector("span").textContent = isNamed
            ? "This browser has no passkeys."
            : `Passkeys need a name in the address: open http://localhost:${location.port || 80} instead.`;
    }
}
