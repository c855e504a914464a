// skip.mjs: thrown where a story cannot be told, with the reason
export class Skip extends Error {
}
