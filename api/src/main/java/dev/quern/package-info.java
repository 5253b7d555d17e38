/// The façade for applications: find providers, choose among them, report the choice.
///
/// [dev.quern.Kernels] is where to begin. A provider's class, its place on the class path or module
/// path, and what it does not run are data here ([dev.quern.Catalog], [dev.quern.KernelReport]), so
/// that an application can show them.
package dev.quern;
