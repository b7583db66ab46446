// The training plugin: the corpus of the built-in model, and the training of a small language model.
#include <diopter/plugin.hpp>

#include "make_corpus.hpp"
#include "train_lm.hpp"

DIOPTER_PLUGIN("org.diopter.training", "0.1.0",
               (training::MakeCorpus, "make_corpus", "Generates the documents the built-in model is trained on.",
                training::kMakeCorpusTable),
               (training::TrainLm, "train_lm", "Trains a small language model on a data set and tests it.",
                training::kTrainLmTable))
