// The bench page: joins the parts that this role has with what the bench says of them.

import { $, en } from "./dom.js";
import { follow } from "./api.js";
import { fitScreen } from "./machine.js";
import { reader } from "./reader.js";
import { printer } from "./printer.js";
import { rating } from "./rating.js";
import { platform } from "./platform.js";
import { windowPC } from "./windowpc.js";

fitScreen();
const handlers = { ...rating(), ...platform() };
if ($("reader")) Object.assign(handlers, reader());
if ($("printer")) Object.assign(handlers, printer());
if ($("windowpc")) windowPC();

follow(handlers, (yes) => {
  const live = $("live");
  const was = live.dataset.live;
  live.dataset.live = yes ? "yes" : "no";
  if (was !== live.dataset.live) live.querySelector("b").replaceChildren(yes ? "已连接" : "程序没有运行");
  if (was !== live.dataset.live) live.querySelector("[lang]").replaceWith(en(yes ? "live" : "daemon not running, retrying"));
});
