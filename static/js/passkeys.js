// Say what went wrong with a passkey where the person looks, instead of in the console.
const WORDS = {
  NotAllowedError: "The browser ended the request, or nothing was chosen in time. Try again.",
  InvalidStateError: "This device has a passkey for this account already.",
  SecurityError: "Passkeys need this site under its own name over HTTPS, or under http://localhost.",
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const place = document.getElementById("passkey-error");
  const error = event.detail.exception;
  place.textContent = WORDS[error?.name] ?? "The passkey could not be used. Try again, or take another way.";
  place.hidden = false;
});
