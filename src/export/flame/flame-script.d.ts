/** The text of flame-script.js. */
declare const text: string;
export default text;
