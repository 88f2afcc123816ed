#include "reports/table.hpp"

#include <gtest/gtest.h>

namespace crier::report {
namespace {

TEST(Table, IsAsWideAsItsWidestCells) {
    Table table;
    table.row({"a", "bb", "c"});
    table.row({"aaa", "b", "ccc"});
    EXPECT_EQ(table.text(), "a    bb  c\n"
                            "aaa  b   ccc\n");
}

TEST(Table, AlignsNumbersToTheRight) {
    Table table;
    table.numbers_from(1);
    table.row({"name", "seen", "hit"});
    table.row({"x", "5", "1,000"});
    EXPECT_EQ(table.text(), "name  seen    hit\n"
                            "x        5  1,000\n");
}

TEST(Table, EndsNoLineInSpaces) {
    Table table;
    table.row({"a", "b"});
    table.row({"aaaa", ""});
    table.row({"aa"});
    EXPECT_EQ(table.text(), "a     b\n"
                            "aaaa\n"
                            "aa\n");
}

TEST(Table, CountsNoColours) {
    Table table;
    table.row({"\033[1;31mbad\033[0m", "x"});
    table.row({"good", "y"});
    EXPECT_EQ(table.text(), "\033[1;31mbad\033[0m   x\n"
                            "good  y\n");
}

TEST(Table, WithoutRowsIsNothing) {
    EXPECT_EQ(Table().text(), "");
}

} // namespace
} // namespace crier::report
