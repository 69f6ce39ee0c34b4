// Style sheets are bundled into one beside the page's script.
declare module '*.css';
