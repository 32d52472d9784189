/** The smallest that a page can be asked. */
export async function hello(name: string): Promise<string> {
  const request = indexedDB.open("hello");
  await new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
  });
  request.result.close();
  return `hello ${name}`;
}

export async function fail(): Promise<never> {
  throw Object.assign(new Error("as it should"), { code: "ERR_TEST" });
}
