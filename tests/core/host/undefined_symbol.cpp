// Needs a function that no library has; linked without -z defs.
int nowhere(int);
extern "C" __attribute__((visibility("default"))) int diopter_entry() { return nowhere(1); }
