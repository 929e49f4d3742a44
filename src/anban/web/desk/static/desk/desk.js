// A form that arrives in a dialog opens it; nothing else.
document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.detail.target.closest("dialog");
  if (!dialog) return;
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[aria-invalid], .error-summary a, input:not([type=hidden]), textarea, select")?.focus();
});
