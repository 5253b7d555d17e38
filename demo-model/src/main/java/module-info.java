/// The demo model. A program that loads its own models needs none of it.
module dev.quern.demo {
  exports dev.quern.demo;
}
