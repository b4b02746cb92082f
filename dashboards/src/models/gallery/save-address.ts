/** Has the browser save what an address of this site holds, under the name that the service gives it. Nothing of it passes through the page. */
export function saveAddress(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}
