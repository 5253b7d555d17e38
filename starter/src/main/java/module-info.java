/// The Llama model and all providers: a module that requires this one has them on its module path
/// and in its linked image, the Vector API included.
module dev.quern.starter {
  requires transitive dev.quern.llama;
  // Nobody calls these: the catalog finds them. They are required so that jlink takes them along.
  requires dev.quern.provider.kleidi;
  requires dev.quern.provider.scalar;
  requires dev.quern.provider.vector;
  requires dev.quern.provider.x86;
}
