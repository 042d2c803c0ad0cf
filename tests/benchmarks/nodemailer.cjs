// nodemailer's pool with Handlebars, a message rendered for each person.
// node nodemailer.cjs FOLDER PORT CONNECTIONS MESSAGES prints how long that took, start-up left off.
const { readFileSync } = require("node:fs");
const handlebars = require("handlebars");
const nodemailer = require("nodemailer");

const [folder, port, connections, messages] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const html = handlebars.compile(readFileSync(`${folder}/message.html`, "utf8"));
const text = handlebars.compile(readFileSync(`${folder}/message.txt`, "utf8"), { noEscape: true });
const relay = nodemailer.createTransport({
  pool: true, maxConnections: connections, maxMessages: Infinity, host: "127.0.0.1", port, ignoreTLS: true,
});

async function dispatch() {
  let next = 0;
  async function sendSome() {
    while (next < messages) {
      const number = next++;
      const reader = { first_name: "Ana", unsubscribe_url: `https://news.example/u/${number}` };
      await relay.sendMail({
        from: "news@sender.example", to: `p${number}@town.example`, subject: "December",
        headers: { "List-Unsubscribe": `<${reader.unsubscribe_url}>` }, text: text(reader), html: html(reader),
      });
    }
  }
  await Promise.all(Array.from({ length: connections }, sendSome));
}

const began = process.hrtime.bigint(), used = process.cpuUsage();
dispatch().then(() => {
  const { user, system } = process.cpuUsage(used);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "ascii"))[1]);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({ messages, seconds, cpu: (user + system) / 1e6, peak_kib: peak }));
  relay.close();
});
