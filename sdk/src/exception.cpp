// The one place where an exception becomes a code and a sentence. Nothing unwinds through the C functions of a plugin.
#include <diopter/exception.hpp>

#include <c10/util/Exception.h>
#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <diopter/error.hpp>

namespace diopter {
inline namespace abi1 {
namespace {

int32_t tell(diopter_status* status, int32_t code, std::string_view sentence) noexcept {
  if (status == nullptr) return code;
  status->code = code;
  std::size_t size = std::min(sentence.size(), sizeof status->message - 1);
  // Never in the middle of a character.
  while (size < sentence.size() && size > 0 && (static_cast<unsigned char>(sentence[size]) & 0xC0) == 0x80) --size;
  std::memcpy(status->message, sentence.data(), size);
  status->message[size] = '\0';
  return code;
}

// "an int", "a MyError", for `throw 3` and its like.
std::string thrown_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "something that is not a C++ exception";
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &failed), &std::free);
  const std::string name = readable ? readable.get() : type->name();
  const bool vowel = std::string_view("aeiouAEIOU").find(name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

int32_t translate(diopter_status* status) {
  try {
    throw;
  } catch (const Stopped& error) {
    return tell(status, DIOPTER_STOPPED, error.what());
  } catch (const Error& error) {
    return tell(status, DIOPTER_REFUSED, error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return tell(status, DIOPTER_NO_MEMORY, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string_view what = error.what_without_backtrace();
    // The CPU allocator reports with a plain c10::Error.
    const bool memory = what.find("DefaultCPUAllocator: ") != std::string_view::npos;
    return tell(status, memory ? DIOPTER_NO_MEMORY : DIOPTER_TORCH, what);
  } catch (const std::bad_alloc&) {
    return tell(status, DIOPTER_NO_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return tell(status, DIOPTER_EXCEPTION, error.what());
  } catch (...) {
    return tell(status, DIOPTER_NOT_AN_EXCEPTION, thrown_type());
  }
}

}  // namespace

int32_t status_of_current_exception(diopter_status* status) noexcept {
  try {
    return translate(status);
  } catch (...) {  // no memory left to make the sentence
    return tell(status, DIOPTER_NO_MEMORY, "out of memory");
  }
}

}  // namespace abi1
}  // namespace diopter
