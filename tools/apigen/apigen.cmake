# Generated API types: ${CMAKE_BINARY_DIR}/gen/api/SERVICE.{h,cpp} for each service of operations.txt, from botocore's models.
# Sets GENERATED_api: the sources that room_api compiles besides src/api.
set(APIGEN_DIR "${CMAKE_CURRENT_LIST_DIR}")
file(STRINGS "${APIGEN_DIR}/operations.txt" APIGEN_LINES REGEX "^[a-z0-9_]+:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${APIGEN_DIR}/operations.txt")
set(APIGEN_SERVICES "")
foreach(line ${APIGEN_LINES})
  string(REGEX REPLACE ":.*" "" service "${line}")
  list(APPEND APIGEN_SERVICES "${service}")
endforeach()
list(REMOVE_DUPLICATES APIGEN_SERVICES)

set(GENERATED_api "")
set(APIGEN_HEADERS "")
foreach(name services ${APIGEN_SERVICES})
  list(APPEND GENERATED_api "${CMAKE_BINARY_DIR}/gen/api/${name}.cpp")
  list(APPEND APIGEN_HEADERS "${CMAKE_BINARY_DIR}/gen/api/${name}.h")
endforeach()
add_custom_command(
  OUTPUT ${GENERATED_api} ${APIGEN_HEADERS}
  COMMAND "${DEPS}/venv/bin/python" -B "${APIGEN_DIR}/apigen.py" "${APIGEN_DIR}/operations.txt" "${CMAKE_BINARY_DIR}/gen/api"
  DEPENDS "${APIGEN_DIR}/apigen.py" "${APIGEN_DIR}/quirks.py" "${APIGEN_DIR}/operations.txt" "${CMAKE_SOURCE_DIR}/tests/requirements.txt"
  COMMENT "API types from botocore's models"
  VERBATIM)
list(APPEND GENERATED_api ${APIGEN_HEADERS})
