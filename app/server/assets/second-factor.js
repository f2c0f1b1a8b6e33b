// Security keys (WebAuthn): the browser talks to the key, the form carries the answer.
//
// form[data-key=create|get]  data-options: what our side asks for, JSON
"use strict";

for (const form of document.querySelectorAll("form[data-key]")) {
  const problem = form.querySelector("[data-key-problem]");
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const ask = () => {
    const { publicKey } = JSON.parse(form.dataset.options);
    return form.dataset.key === "create"
      ? navigator.credentials.create({
          publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
        })
      : navigator.credentials.get({
          publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
        });
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
      return say("このブラウザではセキュリティキーを使えません。ブラウザを新しくしてください。");
    }
    say("");
    try {
      const credential = await ask();
      form.elements.namedItem("credential").value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      const known = error.name === "InvalidStateError";
      say(
        known
          ? "このセキュリティキーはもう登録されています。"
          : "セキュリティキーを確かめられませんでした。差し直して、もう一度押してください。",
      );
    }
  });
}
