// What carries the difference between two prompts: one file per kind.
#include "neurons.hpp"
#include "patching.hpp"

DIOPTER_PLUGIN("org.diopter.patching", "0.1.0",
               (diopter::patching::Patching, "patching",
                "Replaces activations of one run by another's and reads the effect.",
                diopter::patching::kPatchingTable),
               (diopter::patching::Neurons, "neurons",
                "Ranks the neurons of MLPs by direct attribution and patches the best exactly.",
                diopter::patching::kNeuronsTable))
