/** The page /whep_test: a player of WHEP, to copy. */

// /whep_test?session=<session_id>&token=<view_token>, or /whep_test?avatar=<id>
const asked = new URLSearchParams(location.search);
const [session, avatar, token] = ["session", "avatar", "token"].map((name) => asked.get(name));
const endpoint = new URL(`../../whep${session ? `/${session}` : ""}`, import.meta.url);
if (!session && avatar) endpoint.searchParams.set("avatar", avatar);
const headers = token ? { Authorization: `Bearer ${token}` } : {};

const peer = new RTCPeerConnection();
const stream = new MediaStream();
document.getElementById("face").srcObject = stream;
peer.ontrack = ({ track }) => stream.addTrack(track);
peer.onconnectionstatechange = () => show(peer.connectionState);
for (const kind of ["video", "audio"]) peer.addTransceiver(kind, { direction: "recvonly" });
await peer.setLocalDescription();
const response = await fetch(endpoint, {
  method: "POST",
  headers: { ...headers, "Content-Type": "application/sdp" },
  body: peer.localDescription.sdp,
});
const answer = await response.text();
if (response.ok) {
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  const place = new URL(response.headers.get("Location"), endpoint);
  addEventListener("pagehide", () => fetch(place, { method: "DELETE", headers, keepalive: true }));
} else show(sentenceOf(answer) ?? `The server answered with error ${response.status}`);

/** Of {error, code, field}, the server's one shape of error. */
function sentenceOf(answer) {
  try {
    return JSON.parse(answer).error;
  } catch {
    return null; // a proxy's
  }
}

function show(state) {
  document.getElementById("state").textContent = state === "connected" ? "" : state;
}
