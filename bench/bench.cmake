# The load generator of bench/: built on demand, no part of the product.
add_executable(hammer EXCLUDE_FROM_ALL bench/hammer.cpp)
target_link_libraries(hammer OpenSSL::SSL OpenSSL::Crypto)
set_target_properties(hammer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
