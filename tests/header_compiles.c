#include LIMN_HEADER

int main(void)
{
    return 0;
}
