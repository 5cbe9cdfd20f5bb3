#include "src/config/run_config.hpp"
