// Decodes pictures for compare_pillow.py. Each line of standard input names a file; the answer is a
// line `picture WIDTH HEIGHT` and the RGB bytes, or a line `error TEXT`.
#include <cstdio>
#include <iostream>

#include "src/base/error.hpp"
#include "src/data/image.hpp"

int main() {
  for (std::string file; std::getline(std::cin, file);) {
    try {
      const vlmark::data::Image image = vlmark::data::read_image(file);
      std::printf("picture %d %d\n", image.width, image.height);
      std::fwrite(image.rgb.data(), 1, image.rgb.size(), stdout);
    } catch (const vlmark::Error& error) {
      std::printf("error %s\n", error.what());
    }
    std::fflush(stdout);
  }
  return 0;
}
