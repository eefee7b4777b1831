// Prints official lexicons as a JSON object, by name. usage: node --input-type=module - NAME ... < lexicons.mjs
import { schemas } from '@atproto/api'

const asked = process.argv.slice(2)
const found = schemas.filter(({ id }) => asked.includes(id))
console.log(JSON.stringify(Object.fromEntries(found.map((schema) => [schema.id, schema]))))
