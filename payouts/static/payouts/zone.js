// Tells the server which time zone people read times in. It is used for showing, never for storing.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const told = `zone=${zone}`;
if (/^[A-Za-z0-9_+\/-]+$/.test(zone) && !document.cookie.split("; ").includes(told)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${told}; Path=/admin/; Max-Age=31536000; SameSite=Lax${secure}`;
}
