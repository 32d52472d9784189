// As anybody would write it: what a tab says goes to all tabs, a message each; "echo" only back to where it came from.
const ports = new Set();
globalThis.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data.echo) port.postMessage(data);
    else for (const one of ports) one.postMessage(data);
  };
};
