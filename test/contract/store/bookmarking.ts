import { equal } from "../check.ts";
import { draft, singles } from "./drafts.ts";
import { appendOne, type Kit } from "./kit.ts";

export function bookmarking({ test, durable }: Kit): void {
  test("bookmarks are written, overwritten and removed", async ({ log }) => {
    equal(await log.readBookmark("a"), undefined);
    await log.writeBookmarks([["a", "1"], ["b", ""]]);
    equal([await log.readBookmark("a"), await log.readBookmark("b")], ["1", ""]);
    await log.writeBookmarks([["a", "2"], ["b", undefined], ["never", undefined]]);
    equal([await log.readBookmark("a"), await log.readBookmark("b")], ["2", undefined]);
    await log.writeBookmarks([["c", "1"], ["c", undefined], ["d", "1"], ["d", "2"]]);
    equal([await log.readBookmark("c"), await log.readBookmark("d")], [undefined, "2"], "the last of a key wins");
    await log.writeBookmarks([]);
  });

  test("keys and values are any text", async ({ log }) => {
    const texts = ["", "a", "A", "a\u0000", "a\u0000b", "\u0001x", "😀", "ä", "a\u0308", "\ud800", "\ud801", "\ufffd", "%_'\";--", "x".repeat(10_000)];
    await log.writeBookmarks(texts.map((text) => [text, `${text}!`]));
    equal(await Promise.all(texts.map((text) => log.readBookmark(text))), texts.map((text) => `${text}!`));
  });

  test("bookmarks are listed by the beginning of their keys", async ({ log }) => {
    equal(await log.listBookmarks("a"), []);
    await log.writeBookmarks([["a:1", "x"], ["a:2", "y"], ["a", "z"], ["b:1", "w"], ["a:\u{10ffff}", "v"], ["a:\u0000", "u"], ["A:1", "t"]]);
    equal([...await log.listBookmarks("a:")].sort(), [["a:\u0000", "u"], ["a:1", "x"], ["a:2", "y"], ["a:\u{10ffff}", "v"]]);
    equal((await log.listBookmarks("")).length, 7);
  });

  test("appending and trimming leave bookmarks alone", async ({ log }) => {
    await log.writeBookmarks([["a", "1"]]);
    await appendOne(log, singles(draft("x")));
    await log.trim(1);
    equal(await log.readBookmark("a"), "1");
  });

  if (durable) {
    test("bookmarks are there after reopening", async ({ log, reopen }) => {
      await log.writeBookmarks([["a", "1"], ["b", "2"]]);
      await log.writeBookmarks([["b", undefined]]);
      const again = await (await reopen()).open("default");
      equal([await again.readBookmark("a"), await again.readBookmark("b")], ["1", undefined]);
    });
  }
}
