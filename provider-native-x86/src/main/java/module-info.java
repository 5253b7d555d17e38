/// The x86 provider: kernels as x86-64 machine code that Java assembles when a model is loaded. For
/// now the assembler and the memory that its code runs in; nothing is provided yet.
@SuppressWarnings("module") // a name that ends in a digit, as the provider's does
module dev.quern.provider.x86 {}
