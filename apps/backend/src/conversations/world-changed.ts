/** Something a plan relied on is no longer so: another turn was committed in between. Nothing is written. */
export class WorldChanged extends Error {
  override readonly name = "WorldChanged";
}
